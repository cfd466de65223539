import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mint } from '../../../src/crypto/mint.ts';
import type { Finding } from '../../../src/network/doctor/doctor.ts';
import { system } from '../../../src/shared/actor.ts';
import { afterwards } from '../../support/cleanup.ts';
import { minutes } from '../../support/clock.ts';
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

const at = (url: string): Promise<TestApp> => startTestApp({ config: { HUB_URL: url } });

/** What the doctor says is the one thing to mend. */
async function diagnosis(url: string): Promise<[step: string, problem: string | null]> {
  const app = await at(url);
  const findings = await app.house.domains.networkDoctor.run(system);
  const worst = findings.find(({ state }) => state === 'problem');
  return [worst?.step ?? 'none', worst?.problem ?? null];
}

/** A certificate of our own making, which nobody else has signed. */
function certificate(name: string): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-tls-'));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
      '-days',
      '2',
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

describe('the doctor of the network', () => {
  test.each<[cause: string, step: string, problem: string, make: () => Promise<string>]>([
    ['a name that nobody has', 'dns', 'N01', () => Promise.resolve('http://hub.invalid')],
    [
      'a closed port',
      'tcp',
      'N03',
      async () => {
        const server = createTcp();
        const port = await listening(server);
        server.close();
        return `http://127.0.0.1:${String(port)}`;
      },
    ],
    ['a filter that cuts', 'ping', 'N05', () => hubThat((req) => req.socket.destroy())],
    [
      'a certificate that signs itself',
      'tls',
      'N07',
      async () => {
        const server = createTls(certificate('localhost'), healthy);
        return `https://localhost:${String(await listening(server))}`;
      },
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

  test('finds a folder that cannot be written', async () => {
    const app = await at(await hubThat(healthy));
    const folder = join(app.house.config.dataDir, 'plugins');
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o500);

    const findings = await app.house.domains.networkDoctor.run(system);

    // Root writes everywhere.
    const expected = process.getuid?.() === 0 ? null : 'F01';
    expect(findings.find(({ step }) => step === 'folder')?.problem).toBe(expected);
    await chmod(folder, 0o700);
  });
});
