import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { createServer as createTcp } from 'node:net';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AddressGuard } from '../../../src/outbound/address-guard.ts';
import { Probe } from '../../../src/outbound/probe.ts';
import { lookAtFolder } from '../../../src/network/doctor/house-looks.ts';
import { problemOfError } from '../../../src/network/hub-problem.ts';
import { mint } from '../../../src/crypto/mint.ts';
import type { Finding } from '../../../src/network/doctor/doctor.ts';
import { system } from '../../../src/shared/actor.ts';
import { Authority, selfSigned } from '../../support/certificates.ts';
import { afterwards } from '../../support/cleanup.ts';
import { minutes } from '../../support/clock.ts';
import { namesThat } from '../../support/name-server.ts';
import { freePort } from '../../support/ports.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');

async function listening(server: Server | ReturnType<typeof createTcp>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const healthy: RequestListener = (req, res) => {
  res.setHeader('date', new Date(NOW).toUTCString()).setHeader('content-type', 'application/json');
  if (req.url === '/api/ping') res.end('{"status":"ok"}');
  else if (req.url === '/api/registration/info')
    res.end('{"is_valid":true,"owner":null,"subscription":null}');
  else if (req.url === '/api/marketplace/plugins') res.end('[]');
  else res.writeHead(404).end('{}');
};

const hubThat = async (answers: RequestListener): Promise<string> =>
  `http://127.0.0.1:${String(await listening(createServer(answers)))}`;

const tlsHubWith = async (certificate: { key: string; cert: string }): Promise<string> =>
  `https://localhost:${String(await listening(createTls(certificate, healthy)))}`;

const at = (url: string, config = {}): Promise<TestApp> =>
  startTestApp({ config: { HUB_URL: url, ...config } });

/** What the doctor says is the one thing to mend. */
async function diagnosis(url: string, config = {}): Promise<[step: string, problem: string | null]> {
  const app = await at(url, config);
  const findings = await app.house.domains.networkDoctor.run(system);
  const worst = findings.find(({ state }) => state === 'problem');
  return [worst?.step ?? 'none', worst?.problem ?? null];
}

describe('the doctor of the network', () => {
  test.each<[cause: string, step: string, problem: string, make: () => Promise<string>]>([
    ['a name that nobody has', 'dns', 'N01', () => Promise.resolve('http://hub.invalid')],
    ['a closed port', 'tcp', 'N03', async () => `http://127.0.0.1:${String(await freePort())}`],
    ['a filter that cuts', 'ping', 'N05', () => hubThat((req) => req.socket.destroy())],
    [
      'a certificate that signs itself',
      'tls',
      'N07',
      async () => {
        const server = createTls(selfSigned('localhost'), healthy);
        return `https://localhost:${String(await listening(server))}`;
      },
    ],
    [
      'a certificate of an authority that nobody knows',
      'tls',
      'N06',
      () => tlsHubWith(new Authority('Corp inspection').sign('localhost')),
    ],
    [
      'a certificate for another name',
      'tls',
      'N08',
      () => tlsHubWith(new Authority('Test').trusted().sign('other.example')),
    ],
    [
      'a certificate that has expired',
      'tls',
      'N08',
      () => tlsHubWith(new Authority('Test').trusted().sign('localhost', { to: '20210101000000Z' })),
    ],
    ['no TLS behind https', 'tls', 'N09', async () => (await hubThat(healthy)).replace('http:', 'https:')],
    [
      'a login page in between',
      'marker',
      'N15',
      () =>
        hubThat((_req, res) => res.setHeader('content-type', 'text/html').end('<title>Guest Wi-Fi</title>')),
    ],
    ['something else that answers', 'marker', 'N17', () => hubThat((_req, res) => res.end('hello'))],
    [
      'a clock that is ten minutes off',
      'clock',
      'C01',
      () =>
        hubThat((_req, res) =>
          res.setHeader('date', new Date(NOW - minutes(10)).toUTCString()).end('{"status":"ok"}'),
        ),
    ],
    [
      'a redirect',
      'ping',
      'H3xx',
      () => hubThat((_req, res) => res.writeHead(302, { location: 'http://example.org' }).end()),
    ],
    ['a wrong address', 'ping', 'H404', () => hubThat((_req, res) => res.writeHead(404).end())],
    ['too many questions', 'ping', 'H429', () => hubThat((_req, res) => res.writeHead(429).end())],
    ['a refusal', 'ping', 'H4xx', () => hubThat((_req, res) => res.writeHead(403).end())],
    ['a fault of the hub', 'ping', 'H5xx', () => hubThat((_req, res) => res.writeHead(502).end())],
  ])('finds %s', { timeout: 30_000 }, async (_cause, step, problem, make) => {
    expect(await diagnosis(await make())).toEqual([step, problem]);
  });

  test('finds a hub that drips, and one that answers without end, in time', { timeout: 30_000 }, async () => {
    const begun = performance.now();
    const dripping = hubThat((_req, res) => {
      const drop = setInterval(() => res.write(' '), 200);
      res.once('close', () => {
        clearInterval(drop);
      });
    });
    const endless = hubThat((req, res) => {
      if (req.url !== '/api/marketplace/plugins') {
        healthy(req, res);
        return;
      }
      res.end('x'.repeat(2_000_000));
    });

    const [drips, inflates] = await Promise.all([
      dripping.then(diagnosis),
      endless.then(async (url) => {
        const app = await at(url);
        await app.house.domains.network.setKey(system, mint('lknet_'));
        const findings = await app.house.domains.networkDoctor.run(system);
        return findings.find(({ step }) => step === 'catalogue')?.problem;
      }),
    ]);

    expect(drips).toEqual(['ping', 'N14']);
    expect(inflates).toBe('N16');
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  test('skips what leans on a failed step, and says on which', async () => {
    const app = await at('http://hub.invalid');

    const findings = await app.house.domains.networkDoctor.run(system);

    expect(findings).toHaveLength(17);
    const by = (step: string): Finding | undefined => findings.find((one) => one.step === step);
    expect(by('tcp')).toMatchObject({ state: 'skipped', because: 'dns' });
    expect(by('catalogue')).toMatchObject({ state: 'skipped', because: 'dns' });
    expect(by('folder')).toMatchObject({ state: 'ok' });
  });

  test('shows its last run on the page, word for word what the command line and JSON say', async () => {
    const app = await at(await hubThat(healthy));
    const admin = app.as(await app.given.owner());
    expect((await admin.get('/admin/network/doctor')).text).toContain('Not looked yet');
    await app.house.domains.network.setKey(system, mint('lknet_'));

    const findings = await app.house.domains.networkDoctor.run(system);

    const page = (await admin.get('/admin/network/doctor')).text;
    expect(page).toContain('It is a hub');
    expect((await admin.get('/admin/network/doctor.json')).text).toBe(JSON.stringify(findings, null, 2));
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    const stranger = app.as(await app.given.user({ profile: 'self-service' }));
    expect((await stranger.get('/admin/network/doctor')).status).not.toBe(200);
    expect((await stranger.get('/admin/network/doctor.json')).status).not.toBe(200);
  });

  test('finds a folder for plugins that is none, and one that is too full', async () => {
    const app = await at(await hubThat(healthy));
    await mkdir(app.house.config.dataDir, { recursive: true });
    await writeFile(app.house.config.pluginDir, 'a file stands in its place');

    const findings = await app.house.domains.networkDoctor.run(system);

    expect(findings.find(({ step }) => step === 'folder')?.problem).toBe('F01');
    expect(await lookAtFolder('/dev/full')).toMatchObject({ problem: 'F01' });
    expect(await lookAtFolder(app.house.config.dataDir, { enough: Number.MAX_SAFE_INTEGER })).toMatchObject({
      problem: 'F02',
    });
  });
});

describe('the doctor at night', () => {
  test('tells who may mend it once when a light turns red, and not again for the same', async () => {
    let isUp = true;
    const app = await at(
      await hubThat((req, res) => {
        if (isUp) healthy(req, res);
        else res.writeHead(503).end();
      }),
      { NETWORK_KEY: mint('lknet_') },
    );
    const owner = await app.given.owner();
    const told = async (): Promise<number> =>
      (await app.db.knex('notification').where({ user_id: owner.id, kind: 'network.problem' })).length;
    const night = (): Promise<void> => app.house.domains.jobs.runNow('network.doctor');

    await night();
    expect(await told()).toBe(0);
    isUp = false;
    await night();
    await night();
    expect(await told()).toBe(1);
    isUp = true;
    await night();
    isUp = false;
    await night();

    expect(await told()).toBe(2);
    expect((await app.as(owner).get('/notifications')).text).toContain('found a problem: H5xx');
  });

  test('gives a report to copy, with script or without, and leaves places out when asked to', async () => {
    const app = await at(await hubThat(healthy), { NETWORK_KEY: mint('lknet_') });
    const admin = app.as(await app.given.owner());
    await app.house.domains.networkDoctor.run(system);

    const whole = (await admin.get('/admin/network/doctor.txt')).text;
    const bare = (await admin.get('/admin/network/doctor.txt?places=hidden')).text;

    expect(whole).toContain('127.0.0.1');
    expect(bare).not.toContain('127.0.0.1');
    expect(bare).toContain(' 4 tcp');
    expect((await admin.get('/admin/network/doctor')).text).toContain('No problem');
    const stranger = app.as(await app.given.user({ profile: 'self-service' }));
    expect((await stranger.get('/admin/network/doctor.txt')).status).not.toBe(200);
  });
});

/** Takes connections until its queue is full, and then not even a refusal comes back. */
async function blackHole(): Promise<string> {
  const script = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
    () => console.log(s.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const queue = Array.from({ length: 4 }, () =>
    connect(Number(String(port)), '127.0.0.1').on('error', () => 0),
  );
  afterwards(() => {
    for (const socket of queue) socket.destroy();
    child.kill('SIGKILL');
  });
  return `http://127.0.0.1:${String(port).trim()}`;
}

test('every finding that a page can name stands in the documentation', async () => {
  const words = JSON.parse(await readFile('locales/en/network.json', 'utf8')) as Record<string, string>;
  const page = await readFile('docs/network/doctor.md', 'utf8');
  const ids = Object.keys(words).flatMap((key) => /^problem\.(\w+)$/.exec(key)?.[1] ?? []);

  expect(ids.filter((id) => !new RegExp(`\\b${id}\\b`).test(page))).toEqual([]);
});

describe('a way that swallows everything', () => {
  test('is found within the deadline, to the hub and to the proxy alike', { timeout: 30_000 }, async () => {
    const hole = await blackHole();

    const found = await Promise.all([diagnosis(hole), diagnosis('https://hub.test', { PROXY: hole })]);

    expect(found).toEqual([
      ['tcp', 'N04'],
      ['tcp', 'N10'],
    ]);
  });
});

describe('the name service', () => {
  const problemOf = async (said: string): Promise<string> => {
    const names = await namesThat(() => said);
    const probe = new Probe(new AddressGuard('none', names), { stepMs: 1_000 });
    return probe.address('hub.test').catch(problemOfError);
  };

  test.each([
    ['no-such-name', 'N01'],
    ['silence', 'N02'],
    ['fault', 'N02'],
    ['10.1.2.3', 'N18'],
    ['93.184.216.34', '93.184.216.34'],
  ])('that answers %s leads to %s', async (said, outcome) => {
    expect(await problemOf(said)).toBe(outcome);
  });
});

describe('a proxy', () => {
  const authority = (): Authority => new Authority('Test').trusted();
  const through = async (
    options: Parameters<typeof startProxy>[0],
    hub = 'https://hub.test',
  ): Promise<{ found: Awaited<ReturnType<typeof diagnosis>>; proxy: TestProxy }> => {
    const proxy = await startProxy(options);
    return { found: await diagnosis(hub, { PROXY: proxy.url }), proxy };
  };

  test.each([
    ['wants a login', 407, 'N11'],
    ['forbids the hub', 403, 'N12'],
    ['cannot reach the hub', 502, 'N13'],
    ['waits for the hub in vain', 504, 'N13'],
  ])('that %s is named', async (_, refuses, problem) => {
    expect((await through({ refuses })).found).toEqual(['proxy-connect', problem]);
  });

  test('that is not there is named, and not the hub', async () => {
    const gone = `http://127.0.0.1:${String(await freePort())}`;

    expect(await diagnosis('https://hub.test', { PROXY: gone })).toEqual(['tcp', 'N10']);
    expect(await diagnosis('https://hub.test', { PROXY: 'proxy.invalid:3128' })).toEqual(['dns', 'N10']);
  });

  test('that reads along is told by the issuer that it shows', async () => {
    const proxy = await startProxy({ intercepts: new Authority('Corp inspection').sign('hub.test') });
    const app = await at('https://hub.test', { PROXY: proxy.url });

    const findings = await app.house.domains.networkDoctor.run(system);

    expect(findings.find(({ state }) => state === 'problem')).toMatchObject({
      step: 'tls',
      problem: 'N06',
      facts: { issuer: 'Corp inspection' },
    });
  });

  test('that answers with its own sign-in page is told from the hub', async () => {
    const portal = createTls(authority().sign('hub.test'), (_req, res) =>
      res.setHeader('content-type', 'text/html').end('<title>Guest Wi-Fi</title>'),
    );
    const { found } = await through({ names: { 'hub.test': await listening(portal) } });

    expect(found).toEqual(['marker', 'N15']);
  });

  test('with the right login leads all the way; what it is asked is the hub, and the password is told nowhere', async () => {
    const hub = createTls(authority().sign('hub.test'), healthy);
    const proxy = await startProxy({ names: { 'hub.test': await listening(hub) }, login: 'jo:s3cret-word' });
    const app = await at('https://hub.test', { PROXY: proxy.url.replace('//', '//jo:s3cret-word@') });
    await app.house.domains.network.setKey(system, mint('lknet_'));

    const findings = await app.house.domains.networkDoctor.run(system);

    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(findings.find(({ step }) => step === 'proxy')?.facts).toEqual({
      proxy: new URL(proxy.url).host,
      because: 'LATCHKEY_PROXY',
    });
    expect(new Set(proxy.asked)).toEqual(new Set(['hub.test:443']));
    expect(JSON.stringify(findings)).not.toContain('s3cret-word');
  });
});

describe('what the doctor says of the key and the plan', () => {
  const worst = async (app: TestApp): Promise<[string, string | null] | undefined> => {
    const findings = await app.house.domains.networkDoctor.run(system);
    const found = findings.find(({ state }) => state === 'problem' || state === 'warning');
    return found && [found.step, found.problem];
  };
  const key = mint('lknet_');
  const saying =
    (answer: object): RequestListener =>
    (req, res) => {
      if (req.url === '/api/registration/info')
        res.end(JSON.stringify({ owner: null, subscription: null, ...answer }));
      else healthy(req, res);
    };

  test.each([
    ['cut off', key.slice(0, -5), 'K02'],
    ['mistyped', key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A'), 'K03'],
    ['of another kind', mint('lkpat_'), 'K04'],
  ])('from the environment that is %s', async (_, given, problem) => {
    expect(await worst(await at(await hubThat(healthy), { NETWORK_KEY: given }))).toEqual(['key', problem]);
  });

  test('that is not there, was given for another hub, or cannot be opened any more', async () => {
    const app = await startTestApp({ config: { OUTBOUND_ALLOW: '127.0.0.1' } });
    const { network } = app.house.domains;
    await network.setHub(system, await hubThat(healthy));
    expect(await worst(app)).toEqual(['key', 'K01']);
    await network.setKey(system, key);
    await app.db.transaction(async (tx) => {
      await tx.knex('network_key').update({ box_nonce: Buffer.alloc(12) });
    });
    expect(await worst(app)).toEqual(['key', 'K13']);
    await network.setHub(system, await hubThat(healthy));
    expect(await worst(app)).toEqual(['key', 'K05']);
  });

  test.each([
    ['unknown', 'K07'],
    ['revoked', 'K08'],
  ])('that the hub calls %s', async (reason, problem) => {
    const app = await at(await hubThat(saying({ is_valid: false, reason })), { NETWORK_KEY: key });

    expect(await worst(app)).toEqual(['key-online', problem]);
  });

  test('whose subscription is over; unless the clock is wrong, for then no date is believed', async () => {
    const over = saying({
      is_valid: true,
      subscription: { title: 'Basic', offer_reference: 'b', is_running: false },
    });
    const app = await at(await hubThat(over), { NETWORK_KEY: key });
    await app.house.domains.jobs.runNow('network.refresh');
    expect(await worst(app)).toEqual(['plan', 'K09']);

    app.clock.advance(minutes(30));
    const findings = await app.house.domains.networkDoctor.run(system);

    expect(findings.find(({ step }) => step === 'clock')).toMatchObject({ state: 'problem', problem: 'C01' });
    expect(findings.find(({ step }) => step === 'plan')).toMatchObject({
      state: 'skipped',
      because: 'clock',
    });
  });

  test('and of a hub that speaks what this Latchkey does not', async () => {
    const newer: RequestListener = (req, res) => {
      if (req.url === '/api/ping') res.end('{"status":"ok","network":2}');
      else healthy(req, res);
    };

    expect(await worst(await at(await hubThat(newer)))).toEqual(['marker', 'V02']);
  });

  test.each<[cause: string, problem: string, file: RequestListener]>([
    ['is gone', 'H404', (_req, res) => res.writeHead(404).end()],
    ['is a web page', 'N15', (_req, res) => res.setHeader('content-type', 'text/html').end('<p>')],
    ['is cut', 'N05', (req) => req.socket.destroy()],
    ['is empty', 'N16', (_req, res) => res.end()],
  ])(
    'and of a package that %s on the host where it lies, which never sees the key',
    async (_, problem, file) => {
      const shown: unknown[] = [];
      const store = await hubThat((req, res) => {
        shown.push(req.headers['x-registration-key']);
        file(req, res);
      });
      const app = await at(
        await hubThat((req, res) => {
          if (req.url === '/api/marketplace/plugins')
            res.end(JSON.stringify([{ versions: { 3: { download_url: `${store}/tag.tgz` } } }]));
          else healthy(req, res);
        }),
        { NETWORK_KEY: key },
      );

      expect(await worst(app)).toEqual(['download', problem]);
      expect(shown).toEqual([undefined]);
    },
  );
});
