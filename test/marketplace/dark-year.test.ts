import { expect, test } from 'vitest';
import { refusalOf } from '../../src/marketplace/gates.ts';
import { system } from '../../src/shared/actor.ts';
import { days } from '../support/clock.ts';
import {
  hearAll,
  installed,
  publishSigned,
  startSignedHub,
  startTrustingDesk,
} from '../support/signed-hub.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const LONG = { timeout: 120_000 };
const live = { version: '1.0.0', withdrawn: null, reason: null };
const free = { id: 'other', requiredOffers: [] };
const premium = { id: 'parcel', requiredOffers: ['network-standard'] };

const whatStops = ['marketplace.stops'];
const everything = ['network.refresh', 'network.trust', 'marketplace.refresh', ...whatStops];

/** What the background does in a day, with nobody at the other end. */
async function aDay({ house, clock }: TestApp, jobs: readonly string[]): Promise<void> {
  clock.advance(days(1));
  for (const job of jobs) await house.domains.jobs.runNow(job);
}

async function seenBy({ house, clock }: TestApp): Promise<object> {
  const { network, trust } = house.domains;
  const { standing, mayBrowse } = await house.marketplace.shelf(system);
  const { hub, key } = await network.standing();
  const { state, isStale } = await trust.status();
  const { state: plugin, error } = await house.plugins.find('parcel', 'en');
  return {
    day: clock.now(),
    plugin,
    error,
    lights: [hub.light, key.light],
    trust: [state, isStale],
    paper: standing.paper?.state,
    mayBrowse,
    free: refusalOf(standing, free, live),
    premium: refusalOf(standing, premium, live),
  };
}

test(
  'a hub that is off for a year stops nothing that was installed, not even when the server is started anew, and each day shows what the table says',
  LONG,
  async () => {
    const hub = await startSignedHub();
    await publishSigned(hub, 'parcel', { offer: 'network-standard' });
    const desk = await startTrustingDesk(hub, { offer: 'network-standard' });
    expect(await installed(desk, 'parcel')).toMatchObject({ step: 'done' });
    await hearAll(desk, hub);
    const { clock } = desk;
    const heard = clock.now();
    await hub.close();

    for (let day = 1; day <= 365; day += 1) {
      // Everything in the days around the thirtieth, then once a week; that it runs, each day.
      const isWhole = day < 40 || day % 7 === 0 || day === 365;
      await aDay(desk, isWhole ? everything : whatStops);
      expect((await desk.request().get('/p/parcel')).status).toBe(200);
      if (!isWhole) continue;
      expect(await seenBy(desk)).toEqual({
        day: heard + days(day),
        plugin: 'enabled',
        error: null,
        lights: ['failing', 'valid'],
        trust: ['confirmed', day > 1],
        paper: day < 30 ? 'entitled' : 'stale',
        mayBrowse: true,
        free: null,
        premium: day < 30 ? null : 'dark',
      });
    }
    expect((await desk.request().get('/p/parcel')).text).toBe('version 1.0.0');
    expect(await desk.house.stops.list(system)).toEqual([]);

    const { databaseUrl } = desk;
    const DATA_DIR = desk.house.config.dataDir;
    await desk.close();
    const again = await startTestApp({ clock, databaseUrl, config: { HUB_URL: hub.origin, DATA_DIR } });
    expect((await again.request().get('/p/parcel')).text).toBe('version 1.0.0');
    for (const job of everything) await again.house.domains.jobs.runNow(job);
    expect(await seenBy(again)).toMatchObject({ plugin: 'enabled', error: null, mayBrowse: true });
    await again.house.plugins.disable(system, 'parcel');
    await again.house.plugins.enable(system, 'parcel');
    expect((await again.request().get('/p/parcel')).text).toBe('version 1.0.0');
  },
);
