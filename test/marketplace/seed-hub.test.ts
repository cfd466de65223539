import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { authorCommands } from '../../src/cli/author/author-commands.ts';
import { packPlugin } from '../../src/plugin-host/index.ts';
import { coreCommands } from '../../src/compose-commands.ts';
import { trustVerifier } from '../../src/marketplace/trust-verifier.ts';
import { sha256Of } from '../../src/network/index.ts';
import { system } from '../../src/shared/actor.ts';
import { folders } from '../../src/compose-ground.ts';
import { afterwards } from '../support/cleanup.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { verifyWhole } from '../support/verify-whole.ts';

const context = {
  actor: system,
  args: [] as string[],
  options: {},
  print: (): void => undefined,
  readStdin: () => Promise.resolve(''),
  readFile: (path: string) => readFile(path),
};

async function seed({ house }: TestApp): Promise<void> {
  const all = coreCommands(house, { onProblem: () => undefined });
  await all.find(({ name }) => name === 'seed hub')?.run(context);
}

test('a seeded hub signs what it publishes, keeps its keys to itself, and is believed once it is confirmed', async () => {
  const hub = await startTestApp();
  await seed(hub);
  await seed(hub);
  const desk = await startTestApp({ clock: hub.clock, config: { HUB_URL: hub.origin } });
  const { trust, entitlements, jobs } = desk.house.domains;
  await jobs.runNow('network.trust');
  await trust.confirm(system, (await trust.status()).fingerprint ?? '');
  await jobs.runNow('network.trust');

  const { id: pluginId, version, bytes } = await packPlugin(join(folders.plugins, 'tag'));
  const claim = { hub: hub.origin, pluginId, version, sha256: sha256Of(bytes), size: bytes.length };
  await verifyWhole(trustVerifier(trust, entitlements), claim, bytes);

  for (const name of ['keeper-1.key', 'keeper-2.key', 'keeper-3.key', 'publisher.key'])
    expect((await stat(join(hub.house.config.dataDir, 'hub-keys', name))).mode & 0o777).toBe(0o600);
});

test('a publisher sends the signature that lies beside the package, or the one that is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'publish-'));
  const file = join(folder, 'parcel.tgz');
  await writeFile(file, 'package');
  await writeFile(`${file}.sig`, 'beside');
  await writeFile(join(folder, 'named.sig'), 'named');
  const sent: string[] = [];
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      sent.push(/name="signature"\s+(\w+)/.exec(body)?.[1] ?? 'none');
      res.writeHead(201, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ id: 'parcel', version: '1.0.0', channel: 'stable', sha256: '' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => void server.close());
  const hub = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const publish = authorCommands({
    templates: '',
    surface: () => Promise.reject(new Error('Nothing is asked')),
    develop: () => Promise.reject(new Error('Nothing is developed')),
    onProblem: () => undefined,
  }).find(({ name }) => name === 'plugin publish');

  await publish?.run({ ...context, args: [file], options: { hub } });
  await publish?.run({ ...context, args: [file], options: { hub, sig: join(folder, 'named.sig') } });
  await rm(`${file}.sig`);
  await publish?.run({ ...context, args: [file], options: { hub } });

  expect(sent).toEqual(['beside', 'named', 'none']);
  const missing = { hub, sig: join(folder, 'missing.sig') };
  await expect(publish?.run({ ...context, args: [file], options: missing })).rejects.toThrow();
});
