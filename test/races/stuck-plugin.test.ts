import { expect, test } from 'vitest';
import { bumpVersion } from '../../src/db/versions.ts';
import { setupWith, temporaryFolder, writePlugin } from '../plugin-host/start-host.ts';
import { openDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';

test('a plugin that never gives the process back is set aside, and the server comes up without it', async () => {
  const dataDir = await temporaryFolder();
  await writePlugin(`${dataDir}/plugins`, 'endless', { files: { 'index.ts': setupWith('for (;;);') } });
  const server = await startServer({ dataDir });
  const db = openDatabase(`sqlite:${dataDir}/latchkey.db`);

  await db.transaction(async (tx) => {
    await tx.knex('plugin_state').where({ id: 'endless' }).update({ desired: 'enabled' });
    await bumpVersion(tx, 'plugins');
  });

  const states = async (): Promise<unknown> =>
    db.knex('plugin_node').where({ plugin_id: 'endless' }).pluck('state');
  await expect.poll(states, { timeout: 180_000, interval: 500 }).toContain('quarantined');
  await expect.poll(async () => (await fetch(`${server.url}/healthz`)).status, { timeout: 20_000 }).toBe(200);
  expect(server.logs.filter((line) => line.includes('ended unexpectedly'))).toHaveLength(3);
});
