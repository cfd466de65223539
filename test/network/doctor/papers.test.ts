import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mint } from '../../../src/crypto/mint.ts';
import { system } from '../../../src/shared/actor.ts';
import { afterwards } from '../../support/cleanup.ts';
import { days, hours } from '../../support/clock.ts';
import { holdCeremony, publishSigned, startSignedHub } from '../../support/signed-hub.ts';
import { SigningHub } from '../../support/signing-hub.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';
import { keyFor } from '../../support/two-houses.ts';

/** What the doctor says of one thing it looks at. */
async function lookAt(app: TestApp, step: string): Promise<[state: string, problem: string | null]> {
  const findings = await app.house.domains.networkDoctor.run(system);
  const found = findings.find((one) => one.step === step);
  return [found?.state ?? 'none', found?.problem ?? null];
}

test('a helpdesk without a hub is told so', async () => {
  expect(await lookAt(await startTestApp(), 'settings')).toEqual(['problem', 'N00']);
});

test('a plugin that was made for another Latchkey is named', async () => {
  const app = await startTestApp();
  const folder = join(app.house.config.pluginDir, 'later');
  await mkdir(folder, { recursive: true });
  const facts = { id: 'later', version: '1.0.0', license: 'MIT', publisher: 'Acme' };
  const words = { name: 'Later', description: 'For a Latchkey that is still to come.' };
  const engines = { latchkey: '>=9.0.0', node: '>=24' };
  await writeFile(join(folder, 'plugin.json'), JSON.stringify({ manifest: 1, ...facts, ...words, engines }));
  await app.house.plugins.converge();
  await app.db.transaction((tx) =>
    tx.knex('plugin_state').where({ id: 'later' }).update({ desired: 'enabled' }),
  );

  expect(await lookAt(app, 'plugins')).toEqual(['warning', 'V01']);
});

test('what the papers of a hub say is told apart: not confirmed, good, altered, for later, and too low an offer', async () => {
  const hub = await startSignedHub();
  // The doctor holds our clock against the hub's answers, which tell the real time.
  hub.clock.set(Date.now());
  await holdCeremony(hub);
  await publishSigned(hub, 'parcel', { offer: 'network-advanced' });
  const desk = await startTestApp({ clock: hub.clock, config: { HUB_URL: hub.origin } });
  const { network, trust } = desk.house.domains;
  const take = async (key: string): Promise<void> => {
    await network.setKey(system, key);
    await network.settled();
  };

  await take(await keyFor(hub));
  expect(await lookAt(desk, 'signatures')).toEqual(['warning', 'S09']);
  await trust.confirm(system, hub.fingerprint);
  await network.settled();
  await desk.house.reader.refresh();
  expect(await lookAt(desk, 'plan')).toEqual(['ok', null]);
  await expect(desk.house.marketplace.install(system, 'parcel')).rejects.toMatchObject({
    code: 'marketplace.refused.offer-too-low',
  });

  const { document } = (await desk.db.knex('network_entitlement').first()) as { document: string };
  const altered = document.replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`);
  await desk.db.transaction((tx) => tx.knex('network_entitlement').update({ document: altered }));
  expect(await lookAt(desk, 'plan')).toEqual(['problem', 'K06']);

  const begins = new Date(hub.clock.now() + days(5)).toISOString().slice(0, 10);
  await take(await keyFor(hub, 'network-advanced', begins));
  expect(await lookAt(desk, 'plan')).toEqual(['warning', 'K10']);
  await expect(desk.house.marketplace.install(system, 'parcel')).rejects.toMatchObject({
    code: 'marketplace.refused.not-yet',
  });
});

test('signatures that do not hold are named by what is wrong with them', async () => {
  const signing = new SigningHub();
  const hub = { now: Date.parse('2026-03-02T09:00:00Z') };
  const app = await startTestApp({
    config: { HUB_URL: await listening(signing, hub), NETWORK_KEY: mint('lknet_') },
  });
  const { trust } = app.house.domains;
  const pass = (ms: number): void => {
    app.clock.advance(ms);
    hub.now = app.clock.now();
  };
  const mended = async (): Promise<void> => {
    pass(hours(7));
    signing.publish(app.clock.now());
    expect(await lookAt(app, 'signatures')).toEqual(['ok', null]);
    pass(hours(7));
  };
  hub.now = app.clock.now();
  signing.publish(app.clock.now());
  await trust.refresh();
  await trust.confirm(system, (await trust.status()).fingerprint ?? '');
  await trust.refresh();
  const old = signing.copyFiles();

  await mended();
  signing.files.delete('timestamp.json');
  expect(await lookAt(app, 'signatures')).toEqual(['problem', 'S06']);
  await mended();
  const honest = signing.online.timestamp;
  Object.assign(signing.online, { timestamp: new SigningHub().online.timestamp });
  signing.signTimestamp(app.clock.now());
  expect(await lookAt(app, 'signatures')).toEqual(['problem', 'S02']);
  Object.assign(signing.online, { timestamp: honest });
  await mended();
  const good = signing.copyFiles();
  signing.restore(old);
  expect(await lookAt(app, 'signatures')).toEqual(['problem', 'S04']);
  signing.restore(good);
  await mended();
  signing.files.set('timestamp.json', Buffer.from('{'));
  expect(await lookAt(app, 'signatures')).toEqual(['problem', 'S05']);
  await mended();
  pass(hours(26));
  expect(await lookAt(app, 'signatures')).toEqual(['problem', 'S03']);
});

/** A hub that signs, and whose answers tell the time of the test. */
async function listening(signing: SigningHub, hub: { now: number }): Promise<string> {
  const server = createServer((req, res) => {
    res.setHeader('date', new Date(hub.now).toUTCString()).setHeader('content-type', 'application/json');
    const name = /^\/api\/network\/v1\/trust\/([^/?]+)$/.exec(req.url ?? '')?.[1];
    const signed = name === undefined ? undefined : signing.files.get(name);
    if (signed) res.end(signed);
    else if (req.url === '/api/ping') res.end('{"status":"ok"}');
    else if (req.url === '/api/registration/info')
      res.end('{"is_valid":true,"owner":null,"subscription":null}');
    else if (req.url === '/api/marketplace/plugins') res.end('[]');
    else res.writeHead(404).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
