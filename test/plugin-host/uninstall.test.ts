import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tableNames } from '../../src/db/dump.ts';
import { system } from '../../src/shared/actor.ts';
import { commandsOf } from '../cli/shell.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { packageOf } from './packages.ts';
import { setupWith } from './start-host.ts';

const LONG = { timeout: 60_000 };

describeOnEachEngine('uninstalling a plugin', (engine) => {
  test('says first what is its own', LONG, async () => {
    const { house } = await houseWithParcel(engine);

    expect(await house.uninstaller.receipt(system, 'parcel')).toEqual({
      id: 'parcel',
      version: '1.0.0',
      tables: [{ name: 'parcel_stamp', rows: 2 }],
      settings: [],
      jobs: [],
      rights: ['parcel.send'],
      versions: ['1.0.0'],
      exportedTo: null,
    });
  });

  test('keeps its data where it was told to, and finds it again', LONG, async () => {
    const { house, packed } = await houseWithParcel(engine);

    await house.uninstaller.uninstall(system, 'parcel', 'keep');

    expect(await house.plugins.list('en')).not.toContainEqual(expect.objectContaining({ id: 'parcel' }));
    expect(existsSync(join(house.config.pluginDir, 'parcel'))).toBe(false);
    expect(await house.ground.db.knex('parcel_stamp')).toHaveLength(2);

    await house.installer.stage(system, packed);
    expect(await house.installer.use(system, 'parcel', '1.0.0')).toMatchObject({ state: 'enabled' });
    expect(await house.ground.db.knex('parcel_stamp')).toHaveLength(4);
  });

  test(
    'deletes all of it where it was told to, after writing it into a file if that was asked',
    LONG,
    async () => {
      const { house } = await houseWithParcel(engine);

      const { exportedTo } = await house.uninstaller.uninstall(system, 'parcel', 'export');

      const lines = (await readFile(exportedTo ?? '', 'utf8')).trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { table: 'parcel_stamp', row: { worth: 5 } },
        { table: 'parcel_stamp', row: { worth: 5 } },
      ]);
      expect(await tableNames(house.ground.db)).not.toContain('parcel_stamp');
      expect(await house.ground.db.knex('plugin_release_part')).toEqual([]);
    },
  );

  test('gives back what it has exported, once, to the same plugin without data', LONG, async () => {
    const { house } = await houseWithParcel(engine);
    const { knex } = house.ground.db;
    const before = await knex('parcel_stamp').orderBy('id');
    const { exportedTo } = await house.uninstaller.uninstall(system, 'parcel', 'export');
    const latchkey = commandsOf(house);
    const refused = await latchkey(`plugin take-back parcel ${exportedTo ?? ''}`);
    await putIn(house, await parcel());

    const taken = await latchkey(`plugin take-back parcel ${exportedTo ?? ''} --json`);
    const again = await latchkey(`plugin take-back parcel ${exportedTo ?? ''}`);

    expect(refused.code).not.toBe(0);
    expect(taken.err).toBe('');
    expect(taken.json()).toEqual({ id: 'parcel', rows: 2 });
    expect(await knex('parcel_stamp').orderBy('id')).toEqual(before);
    expect(again.err).toContain('parcel has data already, in parcel_stamp');
  });

  test('takes nothing back that is another’s', LONG, async () => {
    const { house } = await houseWithParcel(engine, { withStamps: false });
    const file = join(house.config.dataDir, 'foreign.jsonl');
    await writeFile(file, '{"table":"users","row":{"id":"x"}}\n');

    const refused = await commandsOf(house)(`plugin take-back parcel ${file}`);

    expect(refused.err).toContain('rows of users, which is no table of parcel');
  });

  test('is refused for what comes with Latchkey', async () => {
    const { house } = await startTestApp({ engine });

    await expect(house.uninstaller.uninstall(system, 'registration-key', 'purge')).rejects.toThrow(
      'plugin.is-bundled',
    );

    expect(await tableNames(house.ground.db)).toContain('invite_key');
  });
});

type House = Awaited<ReturnType<typeof startTestApp>>['house'];

async function houseWithParcel(
  engine: 'sqlite' | 'mysql',
  { withStamps = true } = {},
): Promise<{ house: House; packed: Buffer }> {
  const { house } = await startTestApp({ engine });
  const packed = await parcel({ withStamps });
  await putIn(house, packed);
  return { house, packed };
}

async function putIn({ installer }: House, packed: Buffer): Promise<void> {
  await installer.stage(system, packed);
  await installer.use(system, 'parcel', '1.0.0');
}

const parcel = ({ withStamps = false } = {}): Promise<Buffer> =>
  packageOf('parcel', '1.0.0', {
    manifest: { rights: [{ id: 'parcel.send' }] },
    files: {
      'migrations/0001-stamps.ts': `export const migration = { name: '0001-stamps',
        up: ['CREATE TABLE IF NOT EXISTS parcel_stamp (id {id} NOT NULL PRIMARY KEY, worth INTEGER NOT NULL)'],
        down: ['DROP TABLE IF EXISTS parcel_stamp'] };`,
      'index.ts': setupWith(
        withStamps
          ? `
        await host.transaction(async (tx) => {
          for (const id of [api.newId(), api.newId()]) await tx.knex('parcel_stamp').insert({ id, worth: 5 });
        });`
          : '',
      ),
    },
  });
