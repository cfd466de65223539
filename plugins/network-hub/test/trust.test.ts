import { expect, test } from 'vitest';
import type { Host } from 'latchkey/plugin-api';
import { trustVerifier } from '../../../src/marketplace/trust-verifier.ts';
import { newKeyPair, sha256Of, signPackage } from '../../../src/network/index.ts';
import { system } from '../../../src/shared/actor.ts';
import { packPlugin } from '../../../src/plugin-host/index.ts';
import { days, hours } from '../../../test/support/clock.ts';
import { describeOnEachEngine, type Engine } from '../../../test/support/databases.ts';
import { formsIn } from '../../../test/support/http-client.ts';
import { hostIn } from '../../../test/support/signed-hub.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { verifyWhole } from '../../../test/support/verify-whole.ts';
import { ReleaseService } from '../src/release-service.ts';
import { signCeremony, TrustService } from '../src/trust/trust-service.ts';

const PEM = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g;

interface Hub {
  app: TestApp;
  host: Host;
  trust: TrustService;
  keepers: string[];
}

async function startHub(engine: Engine): Promise<Hub> {
  const app = await startTestApp({ engine });
  await app.house.plugins.enable(system, 'network-hub');
  const owner = app.as(await app.given.owner());
  const keys = await owner.submit(
    '/admin/hub/trust',
    { who: 'self', publisher: '' },
    { action: '/admin/hub/trust/establish' },
  );
  const keepers = keys.text.match(PEM) ?? [];
  expect(keepers).toHaveLength(3);
  const host = await hostIn(app);
  return { app, keepers, host, trust: new TrustService(host) };
}

/** As a publisher does it, package and signature together. */
async function publish({ app, host, trust }: Hub, { publisherKey }: { publisherKey: string }) {
  const { id, version, bytes } = await packPlugin('plugins/tag');
  const { text } = await signPackage(bytes, publisherKey);
  await new ReleaseService(host, trust).publish(system, bytes, { channel: 'stable', signature: text });
  return { id, version, bytes, path: `plugins/${id}/${version}.tgz`, app };
}

/** Somebody who got hold of the hub puts another signature beside the same package. */
async function signOver({ app, trust }: Hub, { publisherKey }: { publisherKey: string }): Promise<void> {
  const { id, version, bytes } = await packPlugin('plugins/tag');
  const { text } = await signPackage(bytes, publisherKey);
  const custom = { id, version, publisher: 'Latchkey', signature: text };
  const path = `plugins/${id}/${version}.tgz`;
  await app.db.transaction((tx) =>
    trust.name(tx, { path, length: bytes.length, sha256: sha256Of(bytes), custom }),
  );
}

async function signedBy(hub: Hub, name: string, publicKey: string): Promise<void> {
  const owner = hub.app.as(await hub.app.given.owner());
  await owner.submit('/admin/hub/trust', { name, key: publicKey }, { action: '/admin/hub/trust/publishers' });
  const keys = hub.keepers.slice(1).join('\n');
  const page = await owner.submit('/admin/hub/trust', { keys }, { action: '/admin/hub/trust/sign' });
  expect(page.text).toContain(name);
}

/** Somebody with a hand in the database; answers the way back. */
async function overwritten(
  { db }: TestApp,
  { role, body }: { role: string; body: Buffer },
): Promise<() => Promise<void>> {
  const write = (bytes: unknown): Promise<void> =>
    db.transaction(async (tx) => {
      await tx.knex('trust_document').where({ role }).update({ body: bytes });
    });
  const before = (await db.knex('trust_document').where({ role }).first()) as { body: Buffer };
  await write(body);
  return () => write(before.body);
}

const look = (app: TestApp): Promise<void> => app.house.domains.jobs.runNow('network.trust');

describeOnEachEngine('a hub that signs', (engine) => {
  test('is believed once its fingerprint is confirmed, and only what hub and publisher both signed is installed', async () => {
    const hub = await startHub(engine);
    const publisher = newKeyPair();
    await signedBy(hub, 'Latchkey', publisher.publicKey);
    const { id: pluginId, version, bytes } = await publish(hub, { publisherKey: publisher.privateKey });
    const app = await startTestApp({ engine, clock: hub.app.clock, config: { HUB_URL: hub.app.origin } });
    const { trust, entitlements } = app.house.domains;
    const verifier = trustVerifier(trust, entitlements);
    const claim = { hub: hub.app.origin, pluginId, version, sha256: sha256Of(bytes), size: bytes.length };

    await look(app);
    await expect(verifier.verify(claim, bytes)).rejects.toMatchObject({ code: 'network.hub-not-confirmed' });
    const admin = app.as(await app.given.owner());
    const fingerprint = (await hub.trust.look())?.fingerprint ?? '';
    expect((await admin.get('/admin/network')).text).toContain(fingerprint.slice(0, 4));
    await admin.submit('/admin/network', { fingerprint }, { action: '/admin/network/trust/confirm' });
    await look(app);

    expect(await trust.status()).toMatchObject({
      state: 'confirmed',
      fingerprint,
      problem: null,
      isStale: false,
    });
    await verifyWhole(verifier, claim, bytes);

    const believed = await trust.rules();
    expect(await trust.rules()).toBe(believed);
    const restore = await overwritten(app, { role: 'targets', body: Buffer.from('{}') });
    expect(await trust.rules()).toBeNull();
    await restore();
    expect(await trust.rules()).toEqual(believed);

    const other = Buffer.concat([bytes, Buffer.from([0])]);
    const lie = { ...claim, sha256: sha256Of(other), size: other.length };
    await expect(verifier.verify(lie, other)).rejects.toMatchObject({ code: 'network.S01' });
    await expect(verifier.verify({ ...claim, version: '9.9.9' }, bytes)).rejects.toMatchObject({
      code: 'network.S07',
    });
    await signOver(hub, { publisherKey: newKeyPair().privateKey });
    await expect(verifyWhole(verifier, claim, bytes)).rejects.toMatchObject({ code: 'network.S02' });

    await hub.trust.wantWithdrawal(system, { plugin: pluginId, reason: 'It reads what it should not.' });
    await signedBy(hub, 'Other', newKeyPair().publicKey);
    await expect(verifier.verify(claim, bytes)).rejects.toMatchObject({
      code: 'network.S08',
      params: { reason: 'It reads what it should not.' },
    });
  });

  test('keeps its online documents fresh, and its rules wait for two keepers', async () => {
    const hub = await startHub(engine);
    const app = await startTestApp({ engine, clock: hub.app.clock, config: { HUB_URL: hub.app.origin } });
    const { trust } = app.house.domains;
    await look(app);
    await trust.confirm(system, (await hub.trust.look())?.fingerprint ?? '');
    await look(app);

    hub.app.clock.advance(hours(30));
    await look(app);
    expect(await trust.status()).toMatchObject({ problem: 'S03', isStale: true });

    await hub.trust.renew();
    app.clock.advance(hours(7));
    await look(app);
    expect(await trust.status()).toMatchObject({ problem: null, isStale: false });

    const drafted = JSON.stringify(await hub.trust.begin(system));
    await expect(hub.trust.finish(system, drafted)).rejects.toMatchObject({ code: 'hub.trust-not-signed' });
    hub.app.clock.advance(days(91));
    await hub.trust.renew();
    await look(app);
    expect(await trust.status()).toMatchObject({ problem: 'S03' });
    await signedBy(hub, 'Acme', newKeyPair().publicKey);
    app.clock.advance(hours(7));
    await look(app);
    expect(await trust.status()).toMatchObject({ problem: null });
  });
});

test('a vendor who has only a browser signs what was published before and after, with keys handed over once', async () => {
  const app = await startTestApp();
  await app.house.plugins.enable(system, 'network-hub');
  const host = await hostIn(app);
  const trust = new TrustService(host);
  const releases = new ReleaseService(host, trust);
  const { bytes } = await packPlugin('plugins/tag');
  await releases.publish(system, bytes, { channel: 'stable' });
  const owner = app.as(await app.given.owner());
  const establish = (form: Record<string, string>) =>
    owner.submit('/admin/hub/trust', form, { action: '/admin/hub/trust/establish' });

  expect((await establish({ publisher: 'Latchkey' })).status).toBe(422);
  expect(await trust.look()).toBeNull();
  const begun = await establish({ who: 'hub', publisher: 'Acme Plugins' });
  const keepers = begun.text.match(PEM) ?? [];
  expect(keepers).toHaveLength(3);
  const [handed] = formsIn(begun.text).filter(({ action }) => action === '/admin/hub/trust/keepers');
  const handedOver = await owner.post('/admin/hub/trust/keepers', handed?.fields ?? {});
  expect(handedOver.text.match(PEM)).toEqual(keepers);
  const stranger = app.as(await app.given.user());
  expect((await stranger.post('/admin/hub/trust/keepers', handed?.fields ?? {})).status).toBe(403);
  expect((await establish({ who: 'hub', publisher: 'Latchkey' }).catch(() => null))?.text ?? '').not.toMatch(
    PEM,
  );

  const { id, version } = await packPlugin('plugins/tag');
  expect(await releases.isSigned(id, version)).toBe(true);
  // Nobody has packed this one: it lies on the server.
  const goods = {
    here: 'canned-replies',
    offer: 'network-standard',
    tags: 'Tickets, Time',
    channel: 'stable',
  };
  const published = await owner.submit('/admin/hub/plugins', goods, { action: '/admin/hub/plugins' });
  expect(published.text).toContain('Version 1.0.0 is published.');
  const other = await packPlugin('plugins/network-hub/premium/canned-replies');
  expect(await releases.isSigned(other.id, other.version)).toBe(true);
  expect((await releases.find('canned-replies')).releases[0]?.sha256).toBe(sha256Of(other.bytes));
  expect((await owner.get('/admin/hub/plugins')).text).not.toContain('value="canned-replies"');
  const absent = await owner.submit(
    '/admin/hub/plugins',
    { ...goods, here: '../tag' },
    { action: '/admin/hub/plugins' },
  );
  expect(absent.status).toBe(422);
  expect(await trust.signedFor('Acme', bytes)).toBeNull();

  await owner.submit(
    '/admin/hub/trust',
    { name: 'Acme', held: 'yes' },
    { action: '/admin/hub/trust/publishers' },
  );
  expect(await trust.signedFor('Acme', bytes)).toBeNull();
  await trust.finish(system, JSON.stringify(signCeremony(await trust.begin(system), keepers.slice(0, 2))));
  expect(await trust.signedFor('Acme', bytes)).not.toBeNull();
});

describeOnEachEngine('what a helpdesk is entitled to', (engine) => {
  test('comes signed with a check-in, follows the subscription, and outlives the hub', async () => {
    const hub = await startHub(engine);
    const owner = hub.app.as(await hub.app.given.owner());
    const customer = await hub.app.given.user({ profile: 'self-service', name: 'Carla Customer' });
    const wanted = {
      email: customer.email,
      owner: 'Hospital',
      offer: 'network-standard',
      begins: '2020-01-01',
      ends: '',
    };
    await owner.submit('/admin/hub', wanted, { action: '/admin/hub/subscriptions' });
    const portal = await hub.app.as(customer).submit('/network', {}, { action: '/network/subscriptions/' });
    const key = /value="(lknet_[0-9A-Z]{32})"/.exec(portal.text)?.[1] ?? '';
    const app = await startTestApp({ engine, clock: hub.app.clock, config: { HUB_URL: hub.app.origin } });
    const { network, trust, entitlements } = app.house.domains;
    await network.setKey(system, key);
    await look(app);
    expect(await entitlements.status()).toMatchObject({ state: 'none' });
    await trust.confirm(system, (await hub.trust.look())?.fingerprint ?? '');
    await look(app);
    app.clock.advance(hours(1));
    await look(app);

    expect(await entitlements.status()).toMatchObject({
      state: 'entitled',
      offer: 'network-standard',
      mayInstall: true,
      document: { owner: 'Hospital', state: 'running' },
    });
    expect(JSON.stringify(await hub.app.db.knex('hub_check_in'))).not.toContain(key);
    expect(JSON.stringify(await app.db.knex('network_entitlement'))).not.toContain(key);

    // The file way: the same paper, carried by hand.
    expect(JSON.parse(await entitlements.requestFile())).toMatchObject({ format: 1, counter: 0 });
    await expect(entitlements.takeAnswer('nonsense')).rejects.toMatchObject({
      code: 'network.entitlement-form',
    });

    // The clock stands ten years ahead for a day: named, not punished, and mended by the next answer.
    app.clock.advance(days(10));
    const before = app.clock.now();
    await hub.app.close();
    app.clock.advance(days(365));
    await look(app);
    expect(await entitlements.status()).toMatchObject({
      state: 'stale',
      mayInstall: false,
      offer: 'network-standard',
    });
    expect((await app.as(await app.given.owner()).get('/admin/network')).status).toBe(200);
    expect((await app.house.plugins.list('en')).filter(({ state }) => state === 'failed')).toEqual([]);
    app.clock.set(before);
    await look(app);
    expect(await entitlements.status()).toMatchObject({ state: 'stale' });
  });
});
