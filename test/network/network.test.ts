import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { mint } from '../../src/crypto/mint.ts';
import { createLog } from '../../src/log.ts';
import { system } from '../../src/shared/actor.ts';
import { afterwards } from '../support/cleanup.ts';
import { hours, minutes } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { keyFor } from '../support/two-houses.ts';

const FOREIGN = `${'eyJzaWduYXR1cmUiOiJ'.repeat(4)}==`;
const valid = {
  is_valid: true,
  owner: { name: 'Example Hospital' },
  subscription: {
    offer_reference: 'network-standard',
    title: 'Standard',
    is_running: true,
    begin_date: '2026-01-01',
    end_date: null,
    features: [],
  },
};

/** A hub of somebody else's making. */
async function hub(
  answer: (res: ServerResponse) => void,
): Promise<{ url: string; asked: IncomingHttpHeaders[] }> {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    asked.push({ ...req.headers, ':path': req.url });
    answer(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}

const says = (body: unknown) => (res: ServerResponse) => {
  res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
};
const refresh = (app: TestApp): Promise<void> => app.house.domains.jobs.runNow('network.refresh');
const statusOf = (app: TestApp) => app.house.domains.network.status(system);

async function at(url: string, engine: 'sqlite' | 'mysql' = 'sqlite', config = {}): Promise<TestApp> {
  return startTestApp({ engine, config: { HUB_URL: url, ...config } });
}

describeOnEachEngine('the registration of a helpdesk', (engine) => {
  test('begins with a pasted key, kept sealed, confirmed behind the page, and never shown again', async () => {
    const key = mint('lknet_');
    const there = await hub(says(valid));
    const app = await at(there.url, engine);
    const admin = app.as(await app.given.owner());

    await admin.submit(
      '/admin/network',
      { key: `  "Registration key: ${key.slice(0, 20)}\u200b\n ${key.slice(20)}"` },
      { action: '/admin/network/key' },
    );
    await refresh(app);

    const page = (await admin.get('/admin/network')).text;
    expect(page).toContain('Example Hospital');
    expect(page).toContain('Standard');
    expect(page).not.toContain(key.slice(10));
    expect(JSON.stringify(await app.db.knex('network_key'))).not.toContain(key.slice(10));
    expect(JSON.stringify(await app.db.knex('audit_entries'))).not.toContain(key.slice(10));
    expect(await statusOf(app)).toMatchObject({ key: { light: 'valid' }, hub: { light: 'reachable' } });
    expect(there.asked[0]).toMatchObject({
      ':path': '/api/registration/info',
      accept: 'application/json',
      'x-registration-key': key,
      'x-glpi-network-uid': expect.stringMatching(/^[0-9a-zA-Z]{40}$/) as string,
    });
  });

  test('keeps the key when the hub is gone, asks ever more seldom, and recovers by itself', async () => {
    let isUp = false;
    const there = await hub((res) => {
      if (isUp) says(valid)(res);
      else res.destroy();
    });
    const app = await at(there.url, engine);
    await app.house.domains.network.setKey(system, FOREIGN);
    await refresh(app);

    expect(await statusOf(app)).toMatchObject({
      key: { light: 'unconfirmed' },
      hub: { light: 'failing' },
      check: { problem: 'N05', failures: 1 },
    });
    const askedOnce = there.asked.length;
    await refresh(app);
    expect(there.asked.length).toBe(askedOnce);

    app.clock.advance(minutes(2));
    await refresh(app);
    expect(await statusOf(app)).toMatchObject({ check: { failures: 2 } });
    isUp = true;
    app.clock.advance(hours(1));
    await refresh(app);
    expect(await statusOf(app)).toMatchObject({
      key: { light: 'valid' },
      check: { failures: 0, problem: null },
    });

    isUp = false;
    app.clock.advance(hours(7));
    await refresh(app);
    expect(await statusOf(app)).toMatchObject({ key: { light: 'valid' }, hub: { light: 'failing' } });
  });

  test('starts over as a new installation', async () => {
    const there = await hub(says(valid));
    const app = await at(there.url, engine);
    await app.house.domains.network.setKey(system, FOREIGN);
    await refresh(app);
    const before = await statusOf(app);

    await app.house.domains.network.resetIdentity(system);

    const after = await statusOf(app);
    expect(after.uid).not.toBe(before.uid);
    expect(after.key.light).toBe('none');
  });
});

describe('the key of a hub', () => {
  test.each([
    ['', 'Paste your key'],
    [mint('lkpat_'), 'another kind of secret'],
    [mint('lknet_').slice(0, -4), 'looks cut off'],
    ['short', 'too short'],
    ['é'.repeat(30), 'plain letters'],
  ])('that is not one (%#) is refused with the reason, and stays in the box', async (pasted, reason) => {
    const app = await at((await hub(says(valid))).url);
    const admin = app.as(await app.given.owner());

    const page = await admin.submit('/admin/network', { key: pasted }, { action: '/admin/network/key' });

    expect(page.status).toBe(422);
    expect(page.text).toContain(reason);
    if (pasted !== '') expect(page.text).toContain(pasted);
    expect((await statusOf(app)).key.light).toBe('none');
  });

  test('with one wrong symbol says in which group', async () => {
    const app = await at((await hub(says(valid))).url);
    const key = mint('lknet_');
    const wrong = key.slice(0, 11) + (key[11] === 'A' ? 'B' : 'A') + key.slice(12);
    const admin = app.as(await app.given.owner());

    const page = await admin.submit('/admin/network', { key: wrong }, { action: '/admin/network/key' });

    expect(page.text).toContain('in group 2');
  });

  test('never follows a redirect', async () => {
    const elsewhere = await hub(says(valid));
    const there = await hub((res) =>
      res.writeHead(302, { location: `${elsewhere.url}/api/registration/info` }).end(),
    );
    const app = await at(there.url);
    await app.house.domains.network.setKey(system, FOREIGN);
    await refresh(app);

    expect(await statusOf(app)).toMatchObject({ check: { problem: 'H3xx' } });
    expect(elsewhere.asked).toEqual([]);
  });

  test('is shown to no other hub than the one it was given for', async () => {
    const [one, other] = [await hub(says(valid)), await hub(says(valid))];
    const app = await startTestApp({ config: { OUTBOUND_ALLOW: '127.0.0.1' } });
    await app.house.domains.network.setHub(system, one.url);
    await app.house.domains.network.setKey(system, FOREIGN);
    await refresh(app);
    await app.house.domains.network.setHub(system, other.url);
    await refresh(app);

    expect(other.asked).toEqual([]);
    expect(await statusOf(app)).toMatchObject({ key: { light: 'other-hub' } });
  });

  test('from the environment wins, and the page says so', async () => {
    const there = await hub(says(valid));
    const key = mint('lknet_');
    const app = await at(there.url, 'sqlite', { NETWORK_KEY: key });
    await refresh(app);
    const admin = app.as(await app.given.owner());
    const page = (await admin.get('/admin/network')).text;

    expect(page).toContain('LATCHKEY_NETWORK_KEY');
    expect(page).toContain('Example Hospital');
    expect(page).not.toContain(key.slice(10));
    await expect(app.house.domains.network.setKey(system, FOREIGN)).rejects.toThrow('network.key-given');
  });

  test('that the hub does not know is told in the words of the hub', async () => {
    const app = await at(
      (
        await hub(
          says({
            is_valid: false,
            validation_message: 'This key has been revoked.',
            owner: null,
            subscription: null,
          }),
        )
      ).url,
    );
    await app.house.domains.network.setKey(system, FOREIGN);
    await refresh(app);
    const page = (await app.as(await app.given.owner()).get('/admin/network')).text;

    expect(page).toContain('Refused by the hub');
    expect(page).toContain('This key has been revoked.');
  });
});

describe('a hub in trouble', () => {
  test.each([
    [
      'a web page',
      'N15',
      (res: ServerResponse) => void res.setHeader('content-type', 'text/html').end('<h1>Sign in</h1>'),
    ],
    ['garbage', 'N17', (res: ServerResponse) => void res.end('{"is_')],
    ['another document', 'N17', says({ message: 'hello' })],
    ['its own error', 'H5xx', (res: ServerResponse) => void res.writeHead(503).end()],
    [
      'too many',
      'H429',
      (res: ServerResponse) => void res.writeHead(429).end('{"message":"Too Many Attempts."}'),
    ],
    [
      'far too much',
      'N17',
      (res: ServerResponse) => void res.end(`${JSON.stringify(valid)}${' '.repeat(200_000)}`),
    ],
  ])('that answers %s is called %s', async (_, problem, answer) => {
    const app = await at((await hub(answer)).url);
    await app.house.domains.network.setKey(system, FOREIGN);
    await refresh(app);

    expect(await statusOf(app)).toMatchObject({ key: { light: 'unconfirmed' }, check: { problem } });
  });

  test('that never answers holds up no page and no closing', async () => {
    const there = await hub(() => undefined);
    const app = await at(there.url);
    const admin = app.as(await app.given.owner());
    await admin.get('/admin/network');
    await admin.submit('/admin/network', { key: FOREIGN }, { action: '/admin/network/key' });
    await expect.poll(() => there.asked.length).toBe(1);

    const started = performance.now();
    for (let times = 0; times < 5; times += 1) await admin.get('/admin/network');
    await admin.submit('/admin/network', {}, { action: '/admin/network/check' });
    expect((performance.now() - started) / 6).toBeLessThan(500);

    const closing = performance.now();
    await app.close();
    expect(performance.now() - closing).toBeLessThan(5_000);
  });
});

describe('a house that is a hub itself', () => {
  test('can be its own customer, with one button, wherever it stands', async () => {
    const app = await startTestApp();
    const owner = await app.given.owner();
    const admin = app.as(owner);
    expect((await admin.get('/admin/network')).text).not.toContain('own-hub');
    await app.house.plugins.enable(system, 'network-hub');

    const page = await admin.submit('/admin/network', {}, { action: '/admin/network/own-hub' });
    expect(page.text).toContain('The hub was saved');
    const key = await keyFor(app);
    await app.house.domains.network.setKey(system, key);
    await app.house.domains.network.checkNow(system);

    expect(await statusOf(app)).toMatchObject({ key: { light: 'valid' }, hub: { light: 'reachable' } });
    const findings = await app.house.domains.networkDoctor.run(system);
    expect(findings.find(({ step }) => step === 'marker')?.state).toBe('ok');
    await expect(
      app.house.domains.network.setHub(system, app.origin.replace(/\d+$/, '1')).then(async () => {
        await app.house.domains.network.setKey(system, key);
        await app.house.domains.network.checkNow(system);
        return statusOf(app);
      }),
    ).resolves.toMatchObject({ check: { problem: 'N18' } });
  });
});

describe('a hub on the very machine', () => {
  const typedIn = async (url: string, config: Record<string, string> = {}) => {
    const app = await startTestApp({ config });
    const { network } = app.house.domains;
    await network.setHub(system, url);
    await network.setKey(system, FOREIGN);
    await network.checkNow(system);
    return { app, network, admin: app.as(await app.given.owner()) };
  };

  test('is called once an administrator says so, and no other address of the machine is', async () => {
    const [there, other] = [await hub(says(valid)), await hub(says(valid))];
    const { app, network, admin } = await typedIn(there.url);
    expect(await statusOf(app)).toMatchObject({ hub: { neighbour: 'asked' }, check: { problem: 'N18' } });
    expect(there.asked).toEqual([]);

    await expect(network.allowNeighbour(system, other.url)).rejects.toMatchObject({
      code: 'network.no-neighbour',
    });
    const form = { action: '/admin/network/neighbour' };
    const page = await admin.submit('/admin/network', { url: there.url }, form);
    expect(page.text).toContain('an administrator has let us call it');
    await network.checkNow(system);
    expect(await statusOf(app)).toMatchObject({ hub: { light: 'reachable' }, key: { light: 'valid' } });
    const findings = await app.house.domains.networkDoctor.run(system);
    expect(findings.find(({ step }) => step === 'dns')?.state).toBe('ok');
    await expect(app.house.ground.outbound.send({ url: there.url, method: 'GET' })).rejects.toMatchObject({
      name: 'ForbiddenAddressError',
    });

    await network.setHub(system, other.url);
    await network.setKey(system, FOREIGN);
    await network.checkNow(system);
    expect(await statusOf(app)).toMatchObject({ hub: { neighbour: 'asked' }, check: { problem: 'N18' } });
    expect(other.asked).toEqual([]);
    for (const elsewhere of ['http://10.1.2.3', 'http://localhost.example.org', 'http://169.254.169.254']) {
      await network.setHub(system, elsewhere);
      expect([elsewhere, (await statusOf(app)).hub.neighbour]).toEqual([elsewhere, null]);
    }
  });

  test.each<[string, Record<string, string>]>([
    ['whoever started the server has said what may be called', { OUTBOUND_ALLOW: 'none' }],
    ['people reach the server from elsewhere', { BASE_URL: 'https://desk.example.org' }],
    ['the server listens to its network', { HOST: '0.0.0.0' }],
  ])('is not even asked about where %s', async (_, config) => {
    const there = await hub(says(valid));
    const { network } = await typedIn(there.url, config);

    expect((await network.status(system)).hub.neighbour).toBeNull();
    await expect(network.allowNeighbour(system, there.url)).rejects.toMatchObject({
      code: 'network.no-neighbour',
    });
    expect(there.asked).toEqual([]);
  });
});

describe('what is written to the log', () => {
  test.each([
    ['a key of ours', mint('lknet_')],
    ['a key of a foreign hub', FOREIGN],
  ])('never holds %s, whatever goes wrong', async (_, key) => {
    const lines: string[] = [];
    // Nothing is blanked here: what does not stand there cannot be found by somebody who turns the blanking off.
    const destination = { write: (line: string): void => void lines.push(line) };
    const log = createLog({ level: 'trace', redact: (text) => text, destination });
    for (const answer of [says(valid), says({}), (res: ServerResponse) => void res.destroy()]) {
      const app = await startTestApp({ log, config: { HUB_URL: (await hub(answer)).url } });
      const admin = app.as(await app.given.owner());
      await admin.submit('/admin/network', { key }, { action: '/admin/network/key' });
      await admin.submit('/admin/network', { key: `${key}!` }, { action: '/admin/network/key' });
      await refresh(app);
      await app.house.domains.trust.refresh();
      await app.house.reader.refresh();
      await app.house.domains.networkDoctor.run(system);
      await app.close();
    }

    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('')).not.toContain(key.slice(8, 28));
  });
});

describe('strangers', () => {
  test('see nothing of the registration and change nothing', async () => {
    const there = await hub(says(valid));
    const app = await at(there.url);
    const person = app.as(await app.given.user({ profile: 'self-service' }));

    expect((await person.get('/admin/network')).status).toBe(403);
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await person.get('/account')).text)?.[1] ?? '';
    expect(_csrf).not.toBe('');
    for (const path of ['hub', 'own-hub', 'neighbour', 'key', 'check', 'remove', 'new-installation'])
      expect(
        (await person.post(`/admin/network/${path}`, { _csrf, key: FOREIGN, url: there.url })).status,
      ).toBe(403);
    expect((await statusOf(app)).key.light).toBe('none');
    expect(there.asked).toEqual([]);
  });
});
