import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Latchkey } from '../../src/compose.ts';
import { tableNames } from '../../src/db/dump.ts';
import type { Database } from '../../src/db/database.ts';
import { crashPoints, removalPoints, type CrashPoint } from '../../src/plugin-host/crash-points.ts';
import { RUNNING } from '../../src/plugin-host/outcome.ts';
import { listStates, replaceNode } from '../../src/plugin-host/plugin-repository.ts';
import { system } from '../../src/shared/actor.ts';
import { packageOf, sayingVersion } from '../plugin-host/packages.ts';
import { temporaryFolder } from '../plugin-host/start-host.ts';
import { endOf, inHouse } from '../support/crashing.ts';
import { describeOnEachEngine, freshDatabase, openDatabase } from '../support/databases.ts';
import { hours } from '../support/clock.ts';
import { MASTER_KEY } from '../support/house.ts';

/** A process begins and is killed for each step. */
const PATIENCE_MS = 300_000;
/** From here on the new version is what everybody wants. */
const TURNS_AT = 'pointed';

describeOnEachEngine('an update that is killed without warning', (engine) => {
  test(
    'leaves the old or the new version at every step, never half, and goes through when tried again',
    { timeout: PATIENCE_MS },
    async () => {
      const dataDir = await temporaryFolder();
      const { url } = await freshDatabase(engine);
      const env = { LATCHKEY_DATA_DIR: dataDir, LATCHKEY_DATABASE_URL: url, LATCHKEY_KEY: MASTER_KEY };
      await inHouse(env, ({ installer }) => installed(installer, 0));

      for (const [at, point] of crashPoints.entries()) {
        const [old, next] = [versionNo(at), versionNo(at + 1)];
        const file = join(dataDir, `${next}.tgz`);
        await writeFile(file, await packageNo(at + 1));
        expect([point, await killed(point, 'install', file, env)]).toEqual([point, 'SIGKILL']);

        const expected = at < crashPoints.indexOf(TURNS_AT) ? old : next;
        await inHouse(env, async (house) => {
          expect([point, await shownBy(house)]).toEqual([point, whole(expected)]);
          await (at < crashPoints.indexOf('stored')
            ? installed(house.installer, at + 1)
            : used(house.installer, at + 1));
          expect([point, await shownBy(house)]).toEqual([point, whole(next)]);
          expect(await tableNames(house.ground.db)).toContain(`parcel_t${String(at + 1)}`);
        });
      }
    },
  );
});

test(
  'a plugin that is taken out by a process killed at every step is gone whole in the end, and its data is kept',
  { timeout: PATIENCE_MS },
  async () => {
    const dataDir = await temporaryFolder();
    const { url } = await freshDatabase('sqlite');
    const env = { LATCHKEY_DATA_DIR: dataDir, LATCHKEY_DATABASE_URL: url, LATCHKEY_KEY: MASTER_KEY };
    await inHouse(env, async ({ installer, ground }) => {
      await installed(installer, 0);
      await ground.db.transaction((tx) => tx.knex('parcel_t0').insert({ id: 'x'.repeat(26) }));
    });
    const db = openDatabase(url);
    const left = async (): Promise<unknown> => ({
      hasData: (await tableNames(db)).includes('parcel_t0'),
      hasPackage: (await db.knex('plugin_release').where({ plugin_id: 'parcel' })).length > 0,
      hasFiles: existsSync(join(dataDir, 'plugins/parcel')),
      desired: (await db.knex('plugin_state').where({ id: 'parcel' }).pluck('desired'))[0] as string,
    });
    const expected = {
      wanted: { hasData: true, hasPackage: true, hasFiles: true, desired: 'disabled' },
      exported: { hasData: true, hasPackage: true, hasFiles: true, desired: 'disabled' },
      purged: { hasData: false, hasPackage: true, hasFiles: true, desired: 'disabled' },
      removed: { hasData: false, hasPackage: false, hasFiles: true, desired: 'disabled' },
    };

    for (const point of removalPoints) {
      expect([point, await killed(point, 'uninstall', 'parcel', env)]).toEqual([point, 'SIGKILL']);
      expect([point, await left()]).toEqual([point, expected[point]]);
    }

    expect(await killed('never', 'uninstall', 'parcel', env)).toBe('0');
    expect(await left()).toEqual({ ...expected.removed, hasFiles: false });
    const files = await readdir(join(dataDir, 'exports'));
    const kept = await Promise.all(files.map((file) => readFile(join(dataDir, 'exports', file), 'utf8')));
    expect(kept.some((text) => text.includes('x'.repeat(26)))).toBe(true);
  },
);

test(
  'a new version that goes round, or back, is whole wherever the server that judges it is killed, and what it left to do is done',
  { timeout: PATIENCE_MS },
  async () => {
    const dataDir = await temporaryFolder();
    const { url } = await freshDatabase('sqlite');
    const env = { LATCHKEY_DATA_DIR: dataDir, LATCHKEY_DATABASE_URL: url, LATCHKEY_KEY: MASTER_KEY };
    const db = openDatabase(url);
    const wish = (): Promise<unknown> => wishIn(db);
    const isKilled = async (point: CrashPoint, deed = 'watch'): Promise<void> => {
      expect([point, await killed(point, deed, 'parcel', env)]).toEqual([point, 'SIGKILL']);
    };
    await inHouse(env, async ({ installer, ground }) => {
      await installed(installer, 0);
      await tried(installer, 1);
      await addNeighbour(db, 'zz-other', ground.clock.now() + hours(1));
    });

    await isKilled('judged');
    expect(await wish()).toEqual(onTrial(1, { at: await nodeIn(dataDir), done: 0 }));
    await isKilled('moved');
    expect(await wish()).toEqual(onTrial(1, { at: 'zz-other', done: 1 }));

    await db.transaction(async (tx) => {
      await tx.knex('plugin_node').where({ node: 'zz-other' }).delete();
      const mine = { watched_on: await nodeIn(dataDir), rolled_to: null };
      await tx.knex('plugin_state').where({ id: 'parcel' }).update(mine);
    });
    await isKilled('moved');
    expect(await wish()).toEqual({ chosen: versionNo(1), previous: versionNo(0), at: null, done: 0 });

    await isKilled('settled', 'settle');
    expect(await wish()).toEqual({ chosen: versionNo(1), previous: null, at: null, done: 0 });
    expect(await tableNames(db)).toContain('parcel_t0');
    await isKilled('cleared');
    expect(await tableNames(db)).not.toContain('parcel_t0');

    await inHouse(env, async (house) => {
      expect(await shownBy(house)).toEqual(whole(versionNo(1)));
      await tried(house.installer, 2);
    });
    const words = { plugin: `parcel@${versionNo(2)}`, why: 'loop', place: 'index.ts:7' };
    await writeFile(join(dataDir, 'boot.json.last-words'), JSON.stringify(words));
    await isKilled('moved');
    expect(await wish()).toEqual({ chosen: versionNo(1), previous: null, at: null, done: 0 });
    await inHouse(env, async (house) => {
      expect(await shownBy(house)).toEqual(whole(versionNo(1)));
      expect((await house.plugins.find('parcel', 'en')).releases.at(-1)?.wentWrong).toContain('index.ts:7');
    });
  },
);

const versionNo = (number: number): string => `1.${String(number)}.0`;

/** Each version has a table more than the one before. */
function packageNo(number: number, more: Record<string, string> = {}): Promise<Buffer> {
  const migrations = Array.from({ length: number + 1 }, (_, at) => {
    const name = `${String(at).padStart(4, '0')}-t${String(at)}`;
    const up = `CREATE TABLE IF NOT EXISTS parcel_t${String(at)} (id {id} NOT NULL PRIMARY KEY)`;
    const down = `DROP TABLE IF EXISTS parcel_t${String(at)}`;
    return [
      `migrations/${name}.ts`,
      `export const migration = { name: '${name}', up: ['${up}'], down: ['${down}'] };`,
    ];
  });
  const files = Object.fromEntries(migrations) as Record<string, string>;
  return packageOf('parcel', versionNo(number), {
    files: { ...sayingVersion(versionNo(number)), ...files, ...more },
  });
}

/** What stands in the database of the version in use, and of the one that is on its way. */
async function wishIn(db: Database): Promise<unknown> {
  const state = (await listStates(db)).find(({ id }) => id === 'parcel');
  const { chosen, previous, watchedOn: at, rolledTo } = state ?? {};
  return { chosen, previous, at, done: rolledTo?.length ?? 0 };
}

const onTrial = (number: number, { at, done }: { at: string; done: number }): unknown => ({
  chosen: versionNo(number),
  previous: versionNo(number - 1),
  at,
  done,
});

/** What the last server in this data folder was called. */
const nodeIn = async (dataDir: string): Promise<string> =>
  (JSON.parse(await readFile(join(dataDir, 'boot.json'), 'utf8')) as { node: string }).node;

const addNeighbour = (db: Database, node: string, now: number): Promise<void> =>
  db.transaction((tx) =>
    replaceNode(tx, node, [
      { node, pluginId: 'parcel', version: versionNo(0), ...RUNNING, changedAt: now, seenAt: now },
    ]),
  );

async function tried(installer: Latchkey['installer'], number: number): Promise<void> {
  const { id, version } = await installer.stage(system, await packageNo(number, withoutFirst));
  await installer.use(system, id, version);
}

/** What only version 0 needed goes when nobody goes back to that one. */
const withoutFirst = {
  'migrations/9000-without-t0.ts': `export const migration = { name: '9000-without-t0', phase: 'contract',
    up: ['DROP TABLE IF EXISTS parcel_t0'], down: [] };`,
};

async function installed(installer: Latchkey['installer'], number: number): Promise<void> {
  await installer.stage(system, await packageNo(number));
  await used(installer, number);
}

/** One that is kept already: nobody has to bring it again. */
const used = (installer: Latchkey['installer'], number: number): Promise<unknown> =>
  installer.use(system, 'parcel', versionNo(number), { isWatched: false });

const killed = (
  point: CrashPoint | 'never',
  deed: string,
  about: string,
  env: Record<string, string>,
): Promise<string> => endOf('crashing-install.ts', [point, deed, about], env);

const whole = (version: string): unknown => ({
  state: 'enabled',
  error: null,
  version,
  answer: `version ${version}`,
});

async function shownBy(house: Latchkey): Promise<unknown> {
  const { state, error, version } = await house.plugins.find('parcel', 'en');
  const entry = house.routes.all().find(({ route }) => route.path === '/p/parcel');
  const answer = (await entry?.route.handler({} as never)) as { text?: string } | undefined;
  return { state, error, version, answer: answer?.text };
}
