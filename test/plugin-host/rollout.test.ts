import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newKeyPair, signPackage } from '../../src/network/index.ts';
import { reportFor } from '../../src/plugin-host/index.ts';
import { system } from '../../src/shared/actor.ts';
import { tableNames } from '../../src/db/dump.ts';
import { commandsOf } from '../cli/shell.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { minutes } from '../support/clock.ts';
import { startTestApp } from '../support/test-app.ts';
import { packageOf, sayingVersion } from './packages.ts';
import { emptyHouse, setupWith, startHost, temporaryFolder, writePlugin } from './start-host.ts';

const LONG = { timeout: 120_000 };
const soon = { timeout: 15_000, interval: 100 };

describeOnEachEngine('a new version', (engine) => {
  test('runs on one server first, and on the others once it did well for a while', LONG, async () => {
    const { one, other, clock } = await twoServers(engine);
    await installed(one.house, '1.0.0');
    await expect.poll(() => answerOf(other), soon).toBe('version 1.0.0');

    expect(await installed(one.house, '2.0.0')).toMatchObject({ watched: { on: one.house.ground.node } });
    expect(await answerOf(one)).toBe('version 2.0.0');
    await other.house.plugins.converge();
    expect(await answerOf(other)).toBe('version 1.0.0');
    const { nodes } = await other.house.plugins.find('parcel', 'en');
    expect(nodes.map(({ version }) => version).sort()).toEqual(['1.0.0', '2.0.0']);
    expect((await commandsOf(one.house)('plugin list --json')).json()).toContainEqual(
      expect.objectContaining({ id: 'parcel', nodes: `1, ${other.house.ground.node}: enabled 1.0.0` }),
    );

    clock.advance(minutes(2));

    await expect.poll(() => answerOf(other), soon).toBe('version 2.0.0');
    await expect
      .poll(async () => (await one.house.plugins.find('parcel', 'en')).watched)
      .toMatchObject({ done: 1 });
    clock.advance(20_000);
    await expect.poll(async () => (await one.house.plugins.find('parcel', 'en')).watched, soon).toBeNull();
    expect(await one.house.plugins.find('parcel', 'en')).toMatchObject({ previous: '1.0.0' });
  });

  test('goes from one server to the next, and back from all of them where one does badly', LONG, async () => {
    const { one, other, clock } = await twoServers(engine);
    const third = await startTestApp({ engine, databaseUrl: one.databaseUrl, clock });
    const others = [other, third].sort((a, b) => a.house.ground.node.localeCompare(b.house.ground.node));
    const answers = (): Promise<string[]> => Promise.all([one, ...others].map(answerOf));
    await installed(one.house, '1.0.0');
    await expect.poll(answers, soon).toEqual(Array(3).fill('version 1.0.0'));
    await installed(one.house, '2.0.0', failingWhen('parcelFails'));

    clock.advance(minutes(2));
    await expect.poll(answers, soon).toEqual(['version 2.0.0', 'version 2.0.0', 'version 1.0.0']);
    Object.assign(globalThis, { parcelFails: true });
    for (let time = 0; time < 3; time += 1) await others[0]?.guest().get('/p/parcel');

    await expect.poll(answers, soon).toEqual(Array(3).fill('version 1.0.0'));
    Object.assign(globalThis, { parcelFails: false });
    expect((await third.house.plugins.find('parcel', 'en')).releases.at(-1)).toMatchObject({
      wentWrong: expect.stringContaining('It failed') as string,
    });
  });

  test(
    'that is clearly slower than the one before gives way, and those who look after plugins hear of it once',
    LONG,
    async () => {
      const { house, guest, given, mailbox, as } = await startTestApp({ engine, mail: true });
      const owner = await given.owner();
      await installed(house, '1.0.0');
      const ask = async (): Promise<void> => {
        for (let time = 0; time < 25; time += 1) await guest().get('/p/parcel');
      };
      await ask();
      await installed(house, '2.0.0', sayingVersion('2.0.0', { afterMs: 30 }));
      await ask();

      await expect.poll(async () => (await guest().get('/p/parcel')).text, soon).toBe('version 1.0.0');
      const { releases } = await house.plugins.find('parcel', 'en');
      expect(releases.at(-1)?.wentWrong).toMatch(
        /^route GET \/p\/parcel takes \d+ ms where the version before took [\d.]+ ms/,
      );
      const letter = await mailbox.next(owner.email);
      expect(letter.subject).toBe('parcel 2.0.0 did badly and was taken back');
      expect(letter.text).toContain('route GET /p/parcel takes');
      expect((await as(owner).get('/notifications')).text).toContain(
        'parcel 2.0.0 did badly and was taken back',
      );
    },
  );

  test('that keeps failing where it is tried gives way by itself, and it is said why', LONG, async () => {
    const { one, other } = await twoServers(engine);
    await installed(one.house, '1.0.0');
    await installed(one.house, '2.0.0', {
      'index.ts': setupWith(
        `host.routes([api.route({ method: 'get', path: '/p/parcel', access: 'public', handler: () => { throw new Error('No luck'); } })]);`,
      ),
    });

    for (let time = 0; time < 3; time += 1) expect((await one.guest().get('/p/parcel')).status).toBe(500);

    await expect.poll(() => answerOf(one), soon).toBe('version 1.0.0');
    await expect.poll(() => answerOf(other), soon).toBe('version 1.0.0');
    const { releases, chosen } = await one.house.plugins.find('parcel', 'en');
    expect(chosen).toBe('1.0.0');
    expect(releases.at(-1)).toMatchObject({
      version: '2.0.0',
      wentWrong: expect.stringMatching(/^It failed \d+ of \d+ times$/) as string,
    });
  });

  test('that cannot be had here leaves the one before in use, and the page says so', LONG, async () => {
    const { house, as, given, guest } = await startTestApp({ engine });
    await installed(house, '1.0.0');
    const { installer, ground } = house;
    const { id, version, sha256 } = await installer.stage(system, await packed('2.0.0'));
    // As on a server on which it was not tried.
    await rm(join(house.config.pluginDir, '.staging', sha256), { recursive: true });
    await ground.db.transaction((tx) =>
      tx.knex('plugin_release_part').where({ plugin_id: id, version }).delete(),
    );

    await expect(installer.use(system, id, version)).rejects.toThrow('plugin.version-does-not-run');
    await ground.db.transaction((tx) =>
      tx.knex('plugin_state').where({ id }).update({ chosen: '2.0.0', previous: '1.0.0' }),
    );
    await house.plugins.converge();

    expect((await guest().get('/p/parcel')).text).toBe('version 1.0.0');
    const page = await as(await given.owner()).get('/admin/plugins/parcel');
    expect(page.text).toContain('Its files could not be had');
  });

  test('clears away what only the one before needed when nobody goes back any more', LONG, async () => {
    const { house, clock } = await startTestApp({ engine });
    const migration = (name: string, statement: string, phase = 'expand'): Record<string, string> => ({
      [`migrations/${name}.ts`]: `export const migration = { name: '${name}', phase: '${phase}', up: ['${statement}'], down: [] };`,
    });
    const first = migration(
      '0001-old',
      'CREATE TABLE IF NOT EXISTS parcel_old (id {id} NOT NULL PRIMARY KEY)',
    );
    await installed(house, '1.0.0', first);
    await installed(house, '2.0.0', {
      ...first,
      ...migration('0002-no-old', 'DROP TABLE IF EXISTS parcel_old', 'contract'),
    });
    expect(await tableNames(house.ground.db)).toContain('parcel_old');
    await expect(house.plugins.settle(system, 'parcel')).rejects.toThrow('plugin.still-watched');
    clock.advance(minutes(2));
    await expect.poll(async () => (await house.plugins.find('parcel', 'en')).watched, soon).toBeNull();

    await house.plugins.settle(system, 'parcel');

    expect(await tableNames(house.ground.db)).not.toContain('parcel_old');
    await expect(house.installer.rollback(system, 'parcel')).rejects.toThrow('plugin.no-previous');
  });
});

describe('a server that is started again while a new version goes round', () => {
  test(
    'is watched anew; where the version has ended it, all go back, and people hear why',
    LONG,
    async () => {
      const dataDir = await temporaryFolder();
      const one = await startTestApp();
      const { clock, databaseUrl } = one;
      const beside = (): Promise<App> => startTestApp({ databaseUrl, clock, config: { DATA_DIR: dataDir } });
      const owner = await one.given.owner();
      const other = await beside();
      await installed(one.house, '1.0.0');
      await expect.poll(() => answerOf(other), soon).toBe('version 1.0.0');
      await installed(one.house, '2.0.0');
      clock.advance(minutes(2));
      await expect.poll(() => answerOf(other), soon).toBe('version 2.0.0');
      const third = await startTestApp({ databaseUrl, clock });
      expect(await answerOf(third)).toBe('version 1.0.0');

      await other.close();
      const again = await beside();

      expect(await answerOf(again)).toBe('version 2.0.0');
      const { watched } = await again.house.plugins.find('parcel', 'en');
      expect(watched).toMatchObject({ on: again.house.ground.node, done: 1 });

      await again.close();
      const words = { plugin: 'parcel@2.0.0', why: 'loop', place: 'spin (index.ts:7)' };
      await writeFile(join(dataDir, 'boot.json.last-words'), JSON.stringify(words));
      const afterCrash = await beside();

      for (const app of [afterCrash, one, third])
        await expect.poll(() => answerOf(app), soon).toBe('version 1.0.0');
      const { releases, watched: watchedNow } = await one.house.plugins.find('parcel', 'en');
      expect(releases.at(-1)?.wentWrong).toBe('It gave nobody else a turn, at spin (index.ts:7)');
      expect(watchedNow).toBeNull();
      expect((await one.as(owner).get('/notifications')).text).toContain('did badly and was taken back');
    },
  );
});

describeOnEachEngine('an uploaded package', (engine) => {
  test('is used without asking when a trusted publisher signed it; else somebody decides', LONG, async () => {
    const { house } = await startTestApp({ engine });
    const { installer, publishers } = house;
    const { privateKey, publicKey } = newKeyPair();
    const bytes = await packageOf('parcel', '1.0.0', { isListed: true });
    const signature = (await signPackage(bytes, privateKey)).text;

    const stranger = await installer.stage(system, bytes, { signature });
    expect(stranger).toMatchObject({ trust: 'unsigned', signedBy: expect.any(String) as string });
    await expect(installer.use(system, 'parcel', '1.0.0')).rejects.toThrow('plugin.unsigned');

    await publishers.add(system, { name: 'Parcel & Sons', publicKey });
    await installer.stage(system, bytes, { signature });
    expect(await installer.use(system, 'parcel', '1.0.0')).toMatchObject({ state: 'enabled' });
    const two = await packageOf('parcel', '2.0.0', { isListed: true });
    const signed = { signature: (await signPackage(two, privateKey)).text };
    expect(await installer.stage(system, two, signed)).toMatchObject({
      trust: 'signed',
      signedBy: 'Parcel & Sons',
    });
    await installer.use(system, 'parcel', '2.0.0');

    const three = await packageOf('parcel', '3.0.0', { isListed: true });
    await expect(installer.stage(system, three, signed)).rejects.toThrow('author.signature-wrong');
    await installer.stage(system, three, { signature: null });
    await expect(installer.use(system, 'parcel', '3.0.0')).rejects.toThrow('plugin.unsigned');
    const used = await installer.use(system, 'parcel', '3.0.0', { acceptsUnsigned: true });
    expect(used).toMatchObject({ version: '3.0.0', state: 'enabled' });
  });
});

describeOnEachEngine('a plugin that others lean on', (engine) => {
  test('takes them with it and brings exactly those back, in order', async () => {
    const { db, places } = await emptyHouse(engine);
    const on = (base: string): Record<string, unknown> => ({ dependencies: { requires: { [base]: '*' } } });
    await writePlugin(places.added, 'base');
    await writePlugin(places.added, 'upper', { manifest: on('base') });
    await writePlugin(places.added, 'idle', { manifest: on('base') });
    const { host } = await startHost({ db, places });
    await host.enable(system, 'upper');

    await host.disable(system, 'base');
    expect(await host.find('upper', 'en')).toMatchObject({ state: 'disabled', disabledWith: 'base' });

    expect(await host.enable(system, 'base')).toMatchObject({ state: 'enabled', returning: [] });
    expect(await host.find('upper', 'en')).toMatchObject({ state: 'enabled', disabledWith: null });
    expect(await host.find('idle', 'en')).toMatchObject({ state: 'disabled' });
  });

  test('is named before Latchkey is updated, if it does not say that it goes with it', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.added, 'fits', { manifest: { engines: { latchkey: '>=0.1.0' } } });
    await writePlugin(places.added, 'stays', { manifest: { engines: { latchkey: '<2.0.0' } } });
    const { host } = await startHost({ db, places });

    expect(reportFor('2.0.0', await host.list('en'))).toMatchObject([
      { id: 'fits', fits: true },
      { id: 'stays', fits: false, madeFor: '<2.0.0' },
    ]);
  });
});

type App = Awaited<ReturnType<typeof startTestApp>>;

async function twoServers(
  engine: 'sqlite' | 'mysql',
): Promise<{ one: App; other: App; clock: App['clock'] }> {
  const one = await startTestApp({ engine });
  const other = await startTestApp({ engine, databaseUrl: one.databaseUrl, clock: one.clock });
  return { one, other, clock: one.clock };
}

/** Its page fails from the moment on when somebody says so. */
const failingWhen = (name: string): Record<string, string> => ({
  'index.ts': setupWith(
    `host.routes([api.route({ method: 'get', path: '/p/parcel', access: 'public', handler: () => {
      if (globalThis.${name}) throw new Error('No luck');
      return api.text('version 2.0.0');
    } })]);`,
  ),
});

const packed = (version: string, files: Record<string, string> = {}): Promise<Buffer> =>
  packageOf('parcel', version, { files: { ...sayingVersion(version), ...files } });

async function installed(
  { installer }: App['house'],
  version: string,
  files?: Record<string, string>,
): ReturnType<App['house']['installer']['use']> {
  await installer.stage(system, await packed(version, files));
  return installer.use(system, 'parcel', version);
}

const answerOf = async ({ guest }: App): Promise<string> => (await guest().get('/p/parcel')).text;
