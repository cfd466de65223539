import { expect, test, vi } from 'vitest';
import { composeDomains, type Domains } from '../../src/compose-domains.ts';
import { composeGround } from '../../src/compose-ground.ts';
import { silentLog } from '../../src/log.ts';
import { system } from '../../src/shared/actor.ts';
import { afterwards } from '../support/cleanup.ts';
import { hours } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startSignedHub, startTrustingDesk } from '../support/signed-hub.ts';
import type { TestApp } from '../support/test-app.ts';
import { keyFor } from '../support/two-houses.ts';

/** Another server of the same house, without its pages and plugins. */
async function anotherServer({ house, clock }: TestApp): Promise<Domains> {
  const ground = await composeGround(house.config, { clock, log: silentLog() });
  const domains = await composeDomains(ground);
  afterwards(async () => {
    await domains.network.close();
    domains.entitlements.close();
    await domains.hubLine.close();
    await ground.db.close();
  });
  return domains;
}

const question = '/api/registration/info';

describeOnEachEngine('a helpdesk on ten servers', (engine) => {
  test('is one installation to its hub, whoever pastes the key and however many look at once', async () => {
    const hub = await startSignedHub();
    const desk = await startTrustingDesk(hub, { engine });
    const others = await Promise.all(Array.from({ length: 9 }, () => anotherServer(desk)));
    const servers: Domains[] = [desk.house.domains, ...others];
    const here = [{ id: 'parcel', version: '1.0.0' }];
    for (const { entitlements } of servers) entitlements.tellOf(() => Promise.resolve(here));
    const sent = servers.map(({ hubLine }) => vi.spyOn(hubLine, 'send'));
    const sentTo = (end: string) =>
      sent.flatMap(({ mock }) => mock.calls).filter(([{ url }]) => url.endsWith(end));
    const { uid } = await desk.house.domains.network.standing();

    const key = await keyFor(hub, 'network-standard');
    await Promise.all(servers.map(({ network }) => network.setKey(system, key)));
    await Promise.all(servers.map(({ network }) => network.settled()));
    const lights = await Promise.all(servers.map(({ network }) => network.standing()));
    expect(new Set(lights.map((standing) => standing.uid))).toEqual(new Set([uid]));
    expect(lights.map((standing) => standing.key.light)).toEqual(servers.map(() => 'valid'));
    expect(sentTo(question)).toHaveLength(1);

    const told = await desk.as(await desk.given.owner()).get('/admin/network');
    desk.clock.advance(hours(25));
    await Promise.all(
      servers.map(async ({ network, entitlements }) => {
        await network.refresh();
        await entitlements.refresh();
      }),
    );
    await Promise.all(servers.map(({ network }) => network.settled()));

    expect(sentTo(question)).toHaveLength(2);
    const bodies = sentTo('/check-in').map(([{ body }]) => String(body));
    expect(bodies.filter((body) => told.text.includes(escaped(body)))).toHaveLength(1);
    expect(new Set(bodies.map((body) => (JSON.parse(body) as { counter: number }).counter)).size).toBe(
      bodies.length,
    );
    expect(await hub.db.knex('hub_instance').distinct('uid')).toEqual([{ uid }]);
  });
});

const escaped = (text: string): string => text.replaceAll('"', '&quot;').replaceAll('=', '&#x3D;');
