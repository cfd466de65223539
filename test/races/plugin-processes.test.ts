import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bumpVersion } from '../../src/db/versions.ts';
import { setupWith, temporaryFolder, writePlugin } from '../plugin-host/start-host.ts';
import { openDatabase } from '../support/databases.ts';
import type { TestServer } from '../support/server-process.ts';
import { startServer } from '../support/server.ts';

/** The real server under its supervisor. */
describe('a plugin in a running server', () => {
  test.each([
    ['ends the process', 'import "latchkey/plugin-api"; process.exit(7);'],
    ['never gives the process back', setupWith('for (;;);')],
    [
      'takes all memory',
      setupWith('for (const hoard = []; ; ) hoard.push(new Array(100_000).fill(hoard.length));'),
    ],
  ])('that %s is set aside at its third crash, and the server comes up without it', async (_name, main) => {
    const { server, states } = await serverWith('bomb', main);

    await expect.poll(states, { timeout: 200_000, interval: 500 }).toContainEqual({ state: 'quarantined' });

    await expect.poll(() => statusOf(`${server.url}/healthz`), { timeout: 30_000 }).toBe(200);
    expect(server.logs.filter((line) => line.includes('ended unexpectedly'))).toHaveLength(3);
  });

  test('that throws into the void is charged with it, and nobody else notices', async () => {
    const careless = setupWith(`
      let thrown = 0;
      const timer = setInterval(() => {
        thrown += 1;
        if (thrown % 2 === 0) void Promise.reject(new Error('Into the void'));
        else throw new Error('Into the void');
      }, 50);
      host.onDispose(() => { clearInterval(timer); });`);
    const { server, states } = await serverWith('careless', careless);

    await expect.poll(states, { timeout: 30_000, interval: 100 }).toContainEqual({ state: 'failed' });

    expect(await statusOf(`${server.url}/healthz`)).toBe(200);
    expect(server.logs.join('\n')).not.toContain('ended unexpectedly');
  });

  test('goes within two seconds when the command line disables it, and comes back so', async () => {
    const server = await startServer();
    const join = (): Promise<number> => statusOf(`${server.url}/join`);
    expect(await join()).toBe(200);

    await latchkey(server.dataDir, 'plugin', 'disable', 'registration-key');
    await expect.poll(join, { timeout: 2_000, interval: 100 }).toBe(404);

    await latchkey(server.dataDir, 'plugin', 'enable', 'registration-key');
    await expect.poll(join, { timeout: 2_000, interval: 100 }).toBe(200);
  });
});

/** A server that runs, and in it a plugin that somebody has just enabled elsewhere. */
async function serverWith(
  id: string,
  main: string,
): Promise<{ server: TestServer; states: () => Promise<unknown> }> {
  const dataDir = await temporaryFolder();
  await writePlugin(`${dataDir}/plugins`, id, { files: { 'index.ts': main } });
  const server = await startServer({ dataDir, env: { NODE_OPTIONS: '--max-old-space-size=256' } });
  const db = openDatabase(`sqlite:${dataDir}/latchkey.db`);
  await db.transaction(async (tx) => {
    await tx.knex('plugin_state').where({ id }).update({ desired: 'enabled' });
    await bumpVersion(tx, 'plugins');
  });
  return { server, states: async () => db.knex('plugin_node').where({ plugin_id: id }).select('state') };
}

const commandLine = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

const latchkey = (dataDir: string, ...words: string[]): Promise<unknown> =>
  promisify(execFile)(process.execPath, [commandLine, ...words], {
    env: { ...process.env, LATCHKEY_DATA_DIR: dataDir },
  });

/** 0 while nobody answers. */
const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  );
