import { expect, test } from 'vitest';
import { openDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';
import { setupWith, temporaryFolder, writePlugin } from './start-host.ts';

/** The real server under its supervisor; the database tells what the page for plugins would show. */

test(
  'a plugin that ends the process, or keeps it busy for ever, is set aside and the server comes up',
  { timeout: 120_000 },
  async () => {
    const dataDir = await temporaryFolder();
    const bomb = 'import "latchkey/plugin-api"; process.exit(7);';
    const { first } = await serverWith(dataDir, 'bomb', bomb);
    await first.stop();
    await enable(dataDir, 'bomb');

    const server = await startServer({ dataDir });

    expect(await stateOf(dataDir, 'bomb')).toMatchObject({ state: 'quarantined' });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  },
);

test(
  'an error that a plugin throws into the void is charged to it, and nobody else notices',
  { timeout: 60_000 },
  async () => {
    const dataDir = await temporaryFolder();
    const careless = setupWith(`
    let thrown = 0;
    const timer = setInterval(() => {
      thrown += 1;
      if (thrown % 2 === 0) void Promise.reject(new Error('Into the void'));
      else throw new Error('Into the void');
    }, 50);
    host.onDispose(() => { clearInterval(timer); });`);
    const { first } = await serverWith(dataDir, 'careless', careless);
    await first.stop();
    await enable(dataDir, 'careless');

    const server = await startServer({ dataDir });

    await expect
      .poll(() => stateOf(dataDir, 'careless'), { timeout: 5_000 })
      .toMatchObject({ state: 'failed', step: 'running', error: 'Into the void' });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(server.logs.join('\n')).not.toContain('ended unexpectedly');
  },
);

async function serverWith(
  dataDir: string,
  id: string,
  main: string,
): Promise<{ first: Awaited<ReturnType<typeof startServer>> }> {
  await writePlugin(`${dataDir}/plugins`, id, { files: { 'index.ts': main } });
  return { first: await startServer({ dataDir }) };
}

/** As the command line would, on the database that lies there. */
async function enable(dataDir: string, id: string): Promise<void> {
  const db = openDatabase(`sqlite:${dataDir}/latchkey.db`);
  await db.transaction((tx) => tx.knex('plugin_state').where({ id }).update({ desired: 'enabled' }));
}

async function stateOf(dataDir: string, id: string): Promise<unknown> {
  const db = openDatabase(`sqlite:${dataDir}/latchkey.db`);
  const rows: unknown[] = await db.knex('plugin_node').where({ plugin_id: id });
  return rows[0];
}
