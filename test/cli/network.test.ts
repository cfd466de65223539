import { once } from 'node:events';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { mint } from '../../src/crypto/mint.ts';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { SigningHub } from '../support/signing-hub.ts';
import { startTestApp } from '../support/test-app.ts';
import { temporaryFolder } from '../plugin-host/start-host.ts';
import { commandsOf, openShell, shellOn } from './shell.ts';

async function hub(): Promise<string> {
  const server = createServer((req, res) => {
    const plan = {
      title: 'Basic',
      offer_reference: 'network-basic',
      is_running: true,
      begin_date: '2026-01-01',
    };
    const info = { is_valid: true, owner: { name: 'Example Hospital' }, subscription: plan };
    if (req.url === '/api/registration/info') res.end(JSON.stringify(info));
    else if (req.url === '/api/ping')
      res.setHeader('content-type', 'text/html').end('<title>Sign in</title>');
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

describeOnEachEngine('whoever sits at the server', (engine) => {
  test('registers, looks, and starts over; the key is read from standard input and never printed', async () => {
    const url = await hub();
    const { house } = await startTestApp({ engine, config: { HUB_URL: url } });
    const latchkey = commandsOf(house);
    const key = mint('lknet_');

    const saved = await latchkey('network set-key --json', { stdin: `Key: ${key}\n` });
    expect(saved.json()).toMatchObject({
      hub: url,
      hubLight: 'reachable',
      keyLight: 'valid',
      keySource: 'stored',
      owner: 'Example Hospital',
      plan: 'Basic',
      problem: null,
    });
    for (const words of ['network status', 'network check', 'network status --json'])
      expect((await latchkey(words)).out).not.toContain(key.slice(12));
    const before = (await latchkey('network status --json')).json() as { instance: string };
    const reset = (await latchkey('network reset-identity --json')).json() as {
      instance: string;
      keyLight: string;
    };
    expect(reset).toMatchObject({ keyLight: 'none' });
    expect(reset.instance).not.toBe(before.instance);
    expect(await latchkey('network check')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no key') as string,
    });
  });

  test('is told by the doctor what the page and JSON say, with the same id, and an exit code for scripts', async () => {
    const { house, as, given } = await startTestApp({ engine, config: { HUB_URL: await hub() } });
    const latchkey = commandsOf(house);

    const told = await latchkey('network doctor');
    const asJson = await latchkey('network doctor --json');

    const page = (await as(await given.owner()).get('/admin/network/doctor')).text;
    const sentence = 'Something else answered: a web page instead of the hub.';
    expect(told.code).toBe(1);
    expect(told.out).toContain(`N15: ${sentence}`);
    expect(page).toContain(sentence);
    expect(page).toContain('N15');
    const findings = asJson.json() as { step: string; problem: string | null }[];
    expect(findings).toHaveLength(17);
    expect(findings.find(({ step }) => step === 'marker')?.problem).toBe('N15');
  });

  test('trusts a hub by its fingerprint, and by no other', async () => {
    const signing = new SigningHub();
    const { house, clock } = await startTestApp({ engine, config: { HUB_URL: await signing.listen() } });
    signing.publish(clock.now());
    const latchkey = commandsOf(house);

    const shown = (await latchkey('network trust --json')).json() as { state: string; fingerprint: string };
    expect(shown.state).toBe('unconfirmed');
    expect((await latchkey(`network trust ${'0'.repeat(64)}`)).code).not.toBe(0);
    expect((await latchkey('network request-file')).code).not.toBe(0);
    const confirmed = (await latchkey(`network trust ${shown.fingerprint} --json`)).json() as object;

    expect(confirmed).toMatchObject({ state: 'confirmed', fingerprint: shown.fingerprint });
  });

  test('takes no answer file that nobody has signed', async () => {
    const signing = new SigningHub();
    const { house, clock } = await startTestApp({ engine, config: { HUB_URL: await signing.listen() } });
    signing.publish(clock.now());
    const latchkey = commandsOf(house);
    const { fingerprint } = (await latchkey('network trust --json')).json() as { fingerprint: string };
    await latchkey(`network trust ${fingerprint}`);
    await latchkey('network set-key', { stdin: mint('lknet_') });

    const request = (await latchkey('network request-file')).out;
    const refused = await latchkey('network answer-file', { stdin: 'lke1.forged' });

    expect(JSON.parse(request)).toMatchObject({
      format: 1,
      instance: expect.stringMatching(/^\w{40}$/) as string,
    });
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain('not a signed entitlement');
  });
});

test(
  'a keeper signs a ceremony on a machine that has neither hub nor database',
  { timeout: 60_000 },
  async () => {
    const folder = await temporaryFolder();
    const signing = new SigningHub().publish(Date.now());
    const { privateKey } = generateKeyPairSync('ed25519');
    const documentOf = (name: string): unknown => JSON.parse(String(signing.files.get(name)));
    const file = join(folder, 'ceremony.json');
    const draft = { format: 1, root: documentOf('1.root.json'), targets: documentOf('1.targets.json') };
    await writeFile(file, JSON.stringify(draft));
    await writeFile(join(folder, 'keeper.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { latchkey } = await openShell();

    const signed = await latchkey(`ceremony sign ${file} --key ${join(folder, 'keeper.pem')} --json`);
    const twice = await latchkey(`ceremony sign ${file} --key ${join(folder, 'keeper.pem')} --json`);
    const wrong = await latchkey(`ceremony sign ${file} --key ${file}`);

    expect(signed.code).toBe(0);
    expect(twice.code).toBe(0);
    expect(wrong.code).not.toBe(0);
    const { targets } = JSON.parse(await readFile(file, 'utf8')) as {
      targets: { signatures: { keyid: string }[] };
    };
    const { keyId } = signed.json() as { keyId: string };
    expect(targets.signatures.filter(({ keyid }) => keyid === keyId)).toHaveLength(1);
    expect(keyId).toMatch(/^[0-9a-f]{64}$/);
  },
);

test('secret doctor runs where nothing else does, and names the state', { timeout: 60_000 }, async () => {
  const { latchkey } = await shellOn(await freshDatabase('sqlite'), { LATCHKEY_KEY: 'c'.repeat(64) });

  const [told, locked] = [await latchkey('secret doctor --json'), await latchkey('network status')];

  expect(told.code).toBe(1);
  expect(told.json()).toMatchObject({ state: 'wrong-key', keys: expect.any(Array) as unknown[] });
  expect(locked.code).not.toBe(0);
});
