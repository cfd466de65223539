import { describe, expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { hours } from '../support/clock.ts';
import { publishSigned, startSignedHub, type SignedHub } from '../support/signed-hub.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { keyFor } from '../support/two-houses.ts';

/** Each package is tried in a process of its own. */
const LONG = { timeout: 90_000 };
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

async function startIsland(hub: SignedHub, offer: string): Promise<TestApp> {
  const desk = await startTestApp({ clock: hub.clock, config: { HUB_URL: NOWHERE } });
  await desk.house.domains.network.setKey(system, await keyFor(hub, offer));
  return desk;
}

/** What the vendor's people do for a customer who brings a file. */
async function answered(
  hub: SignedHub,
  request: string,
  plugin = '',
): Promise<{ status: number; text: string }> {
  const vendor = hub.as(await hub.given.owner());
  const _csrf = /name="_csrf" value="([^"]+)"/.exec((await vendor.get('/network/offline')).text)?.[1] ?? '';
  const { status, text } = await vendor.post('/network/offline', {
    _csrf,
    request,
    ...(plugin === '' ? {} : { plugin }),
  });
  return { status, text };
}

/** The same on the command line of the hub. */
async function printed(hub: SignedHub, request: string): Promise<string> {
  const command = hub.house.commands.all().find(({ name }) => name === 'hub answer');
  let text = '';
  await command?.run({
    actor: system,
    args: ['request.json'],
    options: {},
    print: (said) => void (text = String(said)),
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.resolve(Buffer.from(request)),
  });
  return text;
}

describe('a helpdesk without a line to its hub', () => {
  test(
    'asks and is answered by files, verified as downloads are, and puts to use what came',
    LONG,
    async () => {
      const hub = await startSignedHub();
      await publishSigned(hub, 'parcel', { offer: 'network-standard' });
      const desk = await startIsland(hub, 'network-standard');
      const { offline, domains, installer } = desk.house;
      const { text: answer } = await answered(hub, await offline.request(system), 'parcel');

      await expect(offline.take(system, answer)).rejects.toMatchObject({ code: 'network.hub-not-confirmed' });
      expect(await domains.trust.status()).toMatchObject({
        state: 'unconfirmed',
        fingerprint: hub.fingerprint,
      });
      await domains.trust.confirm(system, hub.fingerprint);
      expect(await offline.take(system, answer)).toEqual([{ id: 'parcel', version: '1.0.0', problem: null }]);

      expect(await domains.entitlements.status()).toMatchObject({
        state: 'entitled',
        offer: 'network-standard',
      });
      await installer.use(system, 'parcel', '1.0.0');
      expect((await desk.request().get('/p/parcel')).text).toBe('version 1.0.0');

      hub.clock.advance(hours(1));
      const again = await printed(hub, await offline.request(system));
      expect(await offline.take(system, again)).toEqual([]);
      await expect(offline.take(system, answer)).rejects.toMatchObject({ code: 'network.entitlement-older' });
    },
  );

  test('takes nothing that was altered on the way, nor what its offer does not have', async () => {
    const hub = await startSignedHub();
    await publishSigned(hub, 'parcel');
    const desk = await startIsland(hub, 'network-basic');
    const { offline, domains } = desk.house;
    const request = await offline.request(system);
    const whole = JSON.parse((await answered(hub, request, 'parcel')).text) as {
      documents: Record<string, string>;
      entitlement: string;
      packages: { content: string }[];
    };
    await offline.take(system, JSON.stringify(whole)).catch(() => null);
    await domains.trust.confirm(system, hub.fingerprint);
    const take = (change: object) => offline.take(system, JSON.stringify({ ...whole, ...change }));
    const other = Buffer.from(whole.packages[0]?.content ?? '', 'base64');
    other[40] = (other[40] ?? 0) ^ 1;

    await expect(offline.take(system, 'nonsense')).rejects.toMatchObject({ code: 'marketplace.no-bundle' });
    await expect(take({ documents: {} })).rejects.toMatchObject({ code: 'marketplace.bundle-distrusted' });
    await expect(take({ entitlement: whole.entitlement.replace('.', '.e') })).rejects.toMatchObject({
      kind: 'invalid-input',
    });
    const changed = { ...whole.packages[0], content: other.toString('base64') };
    expect(await take({ packages: [changed] })).toMatchObject([{ problem: { code: 'network.S01' } }]);
    const renamed = { ...whole.packages[0], version: '9.9.9' };
    expect(await take({ packages: [renamed] })).toMatchObject([{ problem: { code: 'network.S07' } }]);
    await publishSigned(hub, 'dear', { offer: 'network-advanced' });
    expect((await answered(hub, request, 'dear')).status).toBe(422);
  });

  test('is answered only at the wish of whose key it is, and shows its page to administrators only', async () => {
    const hub = await startSignedHub();
    const desk = await startIsland(hub, 'network-basic');
    const request = await desk.house.offline.request(system);
    const stranger = hub.as(await hub.given.user({ profile: 'self-service' }));
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await stranger.get('/network')).text)?.[1] ?? '';
    const nobody = desk.as(await desk.given.user({ profile: 'self-service' }));
    const token = /name="_csrf" value="([^"]+)"/.exec((await nobody.get('/account')).text)?.[1] ?? '';

    expect((await stranger.post('/network/offline', { _csrf, request })).text).not.toContain('lke1.');
    for (const path of ['', '/request'])
      expect((await nobody.post(`/admin/marketplace/offline${path}`, { _csrf: token })).status).toBe(403);
    expect((await nobody.get('/admin/marketplace/offline')).status).toBe(403);
    const admin = desk.as(await desk.given.owner());
    const asked = await admin.submit(
      '/admin/marketplace/offline',
      {},
      { action: '/admin/marketplace/offline/request' },
    );
    expect(JSON.parse(asked.text)).toMatchObject({ format: 1 });
  });
});
