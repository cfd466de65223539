import { describe, expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import {
  hearAll,
  holdCeremony,
  installed,
  publishSigned,
  startSignedHub,
  startTrustingDesk,
} from '../support/signed-hub.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { keyFor } from '../support/two-houses.ts';

/** Each package is tried in a process of its own. */
const LONG = { timeout: 90_000 };
const STOPPED = '/admin/marketplace/stopped/parcel';
const statusOf = async (desk: TestApp): Promise<number> => (await desk.request().get('/p/parcel')).status;

describeOnEachEngine('what the keepers of a hub have withdrawn for security', (engine) => {
  test('stops where it runs, is told of, and runs again when somebody answers for it', LONG, async () => {
    const hub = await startSignedHub(engine);
    await publishSigned(hub, 'parcel');
    const desk = await startTrustingDesk(hub, { engine });
    const admin = desk.as(await desk.given.owner());
    expect(await installed(desk, 'parcel')).toMatchObject({ step: 'done', problem: null });
    expect(await statusOf(desk)).toBe(200);

    const reason = 'It reads what it should not.';
    await hub.trust.wantWithdrawal(system, { plugin: 'parcel', versions: ['1.0.0'], reason });
    await hearAll(desk, hub);
    expect(await statusOf(desk)).toBe(200);
    await holdCeremony(hub);
    await hearAll(desk, hub);

    expect(await statusOf(desk)).toBe(404);
    expect(await desk.db.knex('notification').where({ kind: 'marketplace.withdrawn' })).toHaveLength(1);
    await expect(desk.house.plugins.enable(system, 'parcel')).rejects.toMatchObject({
      code: 'marketplace.stopped.withdrawn',
      params: { reason },
    });
    await expect(desk.house.marketplace.install(system, 'parcel')).rejects.toMatchObject({
      code: 'marketplace.refused.security',
    });
    expect((await admin.get('/admin/plugins/parcel')).text).toContain(STOPPED);
    expect((await admin.get('/admin/marketplace/plugins/parcel')).text).toContain(reason);

    expect((await admin.submit(STOPPED, { reason: ' ' }, { action: `${STOPPED}/allow` })).status).toBe(422);
    await admin.submit(STOPPED, { reason: 'Nothing secret lies here.' }, { action: `${STOPPED}/allow` });
    expect(await statusOf(desk)).toBe(200);
    await hearAll(desk, hub);
    expect(await statusOf(desk)).toBe(200);
    const later = desk.as(await desk.given.owner());
    expect((await later.get(STOPPED)).text).toContain('Nothing secret lies here.');
  });
});

describe('what the keepers of a hub have withdrawn for security', () => {
  test('ends with a version that is not withdrawn, and when they take it back', LONG, async () => {
    const hub = await startSignedHub();
    await publishSigned(hub, 'parcel');
    const desk = await startTrustingDesk(hub);
    await installed(desk, 'parcel');
    const withdrawn = [{ plugin: 'parcel', versions: ['1.0.0'], reason: 'A hole.' }];
    await hub.trust.want(system, () => ({ withdrawn }));
    await holdCeremony(hub);
    await hearAll(desk, hub);
    expect(await statusOf(desk)).toBe(404);

    // While the hub's rules cannot be read, nothing is set free.
    await desk.db.transaction((tx) => tx.knex('trust_document').where({ role: 'timestamp' }).delete());
    await desk.house.domains.jobs.runNow('marketplace.stops');
    expect(await desk.house.stops.list(system)).toHaveLength(1);

    await publishSigned(hub, 'parcel', { version: '1.1.0' });
    await hearAll(desk, hub);
    expect(await installed(desk, 'parcel')).toMatchObject({ step: 'done', version: '1.1.0' });
    await desk.house.domains.jobs.runNow('marketplace.stops');
    expect(await desk.house.stops.list(system)).toEqual([]);
    expect((await desk.request().get('/p/parcel')).text).toBe('version 1.1.0');

    await hub.trust.want(system, () => ({ withdrawn: [{ plugin: 'parcel', reason: 'All of it.' }] }));
    await holdCeremony(hub);
    await hearAll(desk, hub);
    expect(await statusOf(desk)).toBe(404);
    await hub.trust.want(system, () => ({ withdrawn: [] }));
    await holdCeremony(hub);
    await hearAll(desk, hub);
    await desk.house.plugins.enable(system, 'parcel');
    expect(await statusOf(desk)).toBe(200);
  });

  test('is only warned of where it did not come from this hub', async () => {
    const hub = await startSignedHub();
    const desk = await startTrustingDesk(hub);
    await desk.house.plugins.enable(system, 'tag');
    await hub.trust.wantWithdrawal(system, { plugin: 'tag', reason: 'Competition.' });
    await holdCeremony(hub);
    await hearAll(desk, hub);

    expect(await desk.house.stops.list(system)).toMatchObject([{ pluginId: 'tag', cause: 'warned' }]);
    expect(await desk.house.plugins.find('tag', 'en')).toMatchObject({ state: 'enabled' });
    const admin = desk.as(await desk.given.owner());
    expect((await admin.get('/admin/plugins/tag')).text).toContain('Competition.');
  });

  test('is decided by administrators only', async () => {
    const desk = await startTestApp();
    const stranger = desk.as(await desk.given.user({ profile: 'self-service' }));
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await stranger.get('/account')).text)?.[1] ?? '';

    expect((await stranger.get(STOPPED)).status).toBe(403);
    expect((await stranger.post(`${STOPPED}/allow`, { _csrf, reason: 'I say so.' })).status).toBe(403);
  });
});

describe('a plugin on trial', () => {
  test(
    'is suspended when nobody paid for it, resumed with a key that has it, and then never again',
    LONG,
    async () => {
      const hub = await startSignedHub();
      await publishSigned(hub, 'parcel', { offer: 'network-standard', trialDays: 14 });
      const desk = await startTrustingDesk(hub);
      const { network, entitlements } = desk.house.domains;
      const admin = desk.as(await desk.given.owner());
      expect((await admin.get('/admin/marketplace')).text).toContain('Try for 14 days');
      await expect(desk.house.marketplace.install(system, 'parcel')).rejects.toMatchObject({
        code: 'marketplace.refused.offer-too-low',
      });

      expect(await installed(desk, 'parcel', { asTrial: true })).toMatchObject({
        step: 'done',
        problem: null,
      });
      expect((await admin.get('/admin/marketplace')).text).toContain('Trial: 14 days left');
      desk.clock.advance(days(12));
      await hearAll(desk, hub);
      expect(await statusOf(desk)).toBe(200);
      desk.clock.advance(days(2));
      await hearAll(desk, hub);

      expect(await statusOf(desk)).toBe(404);
      expect(await desk.db.knex('notification').where({ kind: 'marketplace.trial' })).toHaveLength(1);
      await expect(desk.house.plugins.enable(system, 'parcel')).rejects.toMatchObject({
        code: 'marketplace.stopped.trial',
      });
      const later = desk.as(await desk.given.owner());
      expect((await later.get(STOPPED)).text).toContain('The trial of parcel is over');
      await expect(installed(desk, 'parcel', { asTrial: true })).rejects.toMatchObject({
        code: 'marketplace.refused.trial-over',
      });

      await network.setKey(system, await keyFor(hub, 'network-advanced'));
      await hearAll(desk, hub);
      expect(await entitlements.status()).toMatchObject({ state: 'entitled', offer: 'network-advanced' });
      await desk.house.plugins.enable(system, 'parcel');
      expect(await statusOf(desk)).toBe(200);
      await network.setKey(system, await keyFor(hub, 'network-basic'));
      desk.clock.advance(days(1));
      await hearAll(desk, hub);
      expect(await statusOf(desk)).toBe(200);
    },
  );
});
