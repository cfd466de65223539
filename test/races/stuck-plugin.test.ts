import { expect, test } from 'vitest';
import { setupWith, temporaryFolder, writePlugin } from '../plugin-host/start-host.ts';
import { openDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';

test('a plugin that never gives the process back is set aside, and the server comes up without it', async () => {
  const dataDir = await temporaryFolder();
  await writePlugin(`${dataDir}/plugins`, 'endless', { files: { 'index.ts': setupWith('for (;;);') } });
  await (await startServer({ dataDir })).stop();
  const db = openDatabase(`sqlite:${dataDir}/latchkey.db`);
  await db.transaction((tx) => tx.knex('plugin_state').where({ id: 'endless' }).update({ desired: 'enabled' }));

  const server = await startServer({ dataDir, readyWithinMs: 90_000 });

  expect(await db.knex('plugin_node').where({ plugin_id: 'endless' })).toMatchObject([{ state: 'quarantined' }]);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});
