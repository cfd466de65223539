import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tableNames } from '../../src/db/dump.ts';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { packageOf, sayingVersion } from './packages.ts';
import { setupWith } from './start-host.ts';

const LONG = { timeout: 120_000 };

describeOnEachEngine('a package', (engine) => {
  test('is tried elsewhere, kept, used, updated while it runs and taken back', LONG, async () => {
    const { house, guest } = await startTestApp({ engine });
    const { installer } = house;
    const table = (name: string): Record<string, string> => ({
      [`migrations/${name}.ts`]: `export const migration = { name: '${name}', up: ['CREATE TABLE IF NOT EXISTS parcel_${name.slice(5)} (id {id} NOT NULL PRIMARY KEY)'], down: [] };`,
    });
    const one = await packageOf('parcel', '1.0.0', {
      files: { ...sayingVersion('1'), ...table('0001-first') },
    });
    const two = await packageOf('parcel', '2.0.0', {
      manifest: { permissions: { mail: true } },
      files: { ...sayingVersion('2'), ...table('0001-first'), ...table('0002-second') },
    });
    const answer = async (): Promise<string> => (await guest().get('/p/parcel')).text;

    expect(await installer.stage(system, one)).toMatchObject({ from: null, migrations: ['0001-first'] });
    expect((await guest().get('/p/parcel')).status).toBe(404);

    await installer.use(system, 'parcel', '1.0.0');
    expect(await answer()).toBe('version 1');

    expect(await installer.stage(system, two)).toMatchObject({
      from: '1.0.0',
      migrations: ['0002-second'],
      added: ['mail'],
    });
    expect(await answer()).toBe('version 1');
    expect(await installer.use(system, 'parcel', '2.0.0')).toMatchObject({
      version: '2.0.0',
      state: 'enabled',
    });
    expect(await answer()).toBe('version 2');

    expect(await installer.rollback(system, 'parcel')).toMatchObject({ version: '1.0.0', state: 'enabled' });
    expect(await answer()).toBe('version 1');
    expect(await tableNames(house.ground.db)).toContain('parcel_second');
  });

  test('that does not start is refused before anything has changed', LONG, async () => {
    const { house } = await startTestApp({ engine });
    const bad = {
      'that throws': setupWith(`throw new Error('No luck');`),
      'that ends the process': 'import "latchkey/plugin-api"; process.exit(7);',
    };

    for (const main of Object.values(bad)) {
      const packed = await packageOf('parcel', '1.0.0', { files: { 'index.ts': main } });
      await expect(house.installer.stage(system, packed)).rejects.toThrow('plugin.preflight-failed');
    }

    expect(await house.plugins.find('parcel', 'en').catch(() => null)).toBeNull();
    expect(await readdir(join(house.config.pluginDir, '.staging'))).toEqual([]);
  });

  test('that starts nowhere but where it was tried leaves the version before in use', LONG, async () => {
    const { house, guest } = await startTestApp({ engine });
    await install(house, await packageOf('parcel', '1.0.0', { files: sayingVersion('1') }));
    const picky = setupWith(`if (globalThis.isRealHouse) throw new Error('Not here');`);
    const two = await packageOf('parcel', '2.0.0', { files: { 'index.ts': picky } });
    await house.installer.stage(system, two);
    Object.assign(globalThis, { isRealHouse: true });

    await expect(house.installer.use(system, 'parcel', '2.0.0')).rejects.toThrow(
      'plugin.version-does-not-run',
    );

    Object.assign(globalThis, { isRealHouse: false });
    expect((await guest().get('/p/parcel')).text).toBe('version 1');
    expect(await house.plugins.find('parcel', 'en')).toMatchObject({
      chosen: '1.0.0',
      state: 'enabled',
      error: null,
    });
  });

  test('comes from the database to a server that has never seen it', LONG, async () => {
    const first = await startTestApp({ engine });
    await install(first.house, await packageOf('parcel', '1.0.0', { files: sayingVersion('1') }));

    const second = await startTestApp({ engine, databaseUrl: first.databaseUrl, clock: first.clock });

    expect(second.house.config.pluginDir).not.toBe(first.house.config.pluginDir);
    expect((await second.guest().get('/p/parcel')).text).toBe('version 1');
  });

  test('whose folder somebody has deleted is put back from the database', LONG, async () => {
    const { house, guest } = await startTestApp({ engine });
    await install(house, await packageOf('parcel', '1.0.0', { files: sayingVersion('1') }));
    await rm(join(house.config.pluginDir, 'parcel'), { recursive: true });

    await house.plugins.disable(system, 'parcel');
    await house.plugins.enable(system, 'parcel');

    expect((await guest().get('/p/parcel')).text).toBe('version 1');
  });

  test('may only add to its schema when it is an update', LONG, async () => {
    const { house } = await startTestApp({ engine });
    await install(house, await packageOf('parcel', '1.0.0'));
    const dropping = `export const migration = { name: '0001-drop', up: ['DROP TABLE IF EXISTS parcel_old'], down: [] };`;

    const two = await packageOf('parcel', '2.0.0', { files: { 'migrations/0001-drop.ts': dropping } });

    await expect(house.installer.stage(system, two)).rejects.toThrow('plugin.not-additive');
  });
});

describeOnEachEngine('a package that is no good', (engine) => {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const listing = (sha256: string): string =>
    JSON.stringify({ files: [{ path: 'extra.txt', size: 5, sha256 }] });
  const bad = {
    'with a way out of its folder': { entries: [{ name: '../out.txt', type: 'file' as const }] },
    'with an absolute path': { entries: [{ name: '/tmp/out.txt', type: 'file' as const }] },
    'with a link': { entries: [{ name: 'link', type: 'symlink' as const, linkname: '/etc/passwd' }] },
    'with a device': { entries: [{ name: 'device', type: 'character-device' as const }] },
    'with names that meet without case': { files: { 'a.txt': 'one', 'A.txt': 'two' } },
    'with a file that its list does not name': { files: { 'files.json': listing(digest('hello')) } },
    'with a file that differs from its list': {
      files: { 'files.json': listing(digest('other')), 'extra.txt': 'hello' },
    },
  };

  for (const [name, draft] of Object.entries(bad)) {
    test(`${name} is refused and leaves nothing`, async () => {
      const { house } = await startTestApp({ engine });

      const packed = await packageOf('parcel', '1.0.0', draft);

      await expect(house.installer.stage(system, packed)).rejects.toThrow('plugin.package-broken');
      expect(await readdir(join(house.config.pluginDir, '.staging'))).toEqual([]);
      expect(await house.ground.db.knex('plugin_release')).toEqual([]);
    });
  }

  test('because it would change a version that is here, or stand in for one of ours', LONG, async () => {
    const { house } = await startTestApp({ engine });
    await house.installer.stage(system, await packageOf('parcel', '1.0.0'));

    const changed = await packageOf('parcel', '1.0.0', { files: { 'more.txt': 'more' } });
    const ours = await packageOf('registration-key', '9.0.0');

    await expect(house.installer.stage(system, changed)).rejects.toThrow('plugin.version-exists');
    await expect(house.installer.stage(system, ours)).rejects.toThrow('plugin.is-bundled');
  });
});

type House = Awaited<ReturnType<typeof startTestApp>>['house'];

async function install({ installer }: House, packed: Buffer): Promise<void> {
  const { id, version } = await installer.stage(system, packed);
  await installer.use(system, id, version);
}
