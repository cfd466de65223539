import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compose, type Latchkey } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { tableNames } from '../../src/db/dump.ts';
import { silentLog } from '../../src/log.ts';
import { crashPoints, removalPoints, type CrashPoint } from '../../src/plugin-host/crash-points.ts';
import { system } from '../../src/shared/actor.ts';
import { packageOf, sayingVersion } from '../plugin-host/packages.ts';
import { temporaryFolder } from '../plugin-host/start-host.ts';
import { describeOnEachEngine, freshDatabase, openDatabase } from '../support/databases.ts';
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
        expect([point, await endOf(point, file, env)]).toEqual([point, 'SIGKILL']);

        const expected = at < crashPoints.indexOf(TURNS_AT) ? old : next;
        await inHouse(env, async (house) => {
          expect([point, await shownBy(house)]).toEqual([point, whole(expected)]);
          await installed(house.installer, at + 1);
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
      expect([point, await endOf(point, '', env, 'parcel')]).toEqual([point, 'SIGKILL']);
      expect([point, await left()]).toEqual([point, expected[point]]);
    }

    expect(await endOf('never', '', env, 'parcel')).toBe('0');
    expect(await left()).toEqual({ ...expected.removed, hasFiles: false });
    const files = await readdir(join(dataDir, 'exports'));
    const kept = await Promise.all(files.map((file) => readFile(join(dataDir, 'exports', file), 'utf8')));
    expect(kept.some((text) => text.includes('x'.repeat(26)))).toBe(true);
  },
);

const versionNo = (number: number): string => `1.${String(number)}.0`;

/** Each version has a table more than the one before. */
function packageNo(number: number): Promise<Buffer> {
  const migrations = Array.from({ length: number + 1 }, (_, at) => {
    const name = `${String(at).padStart(4, '0')}-t${String(at)}`;
    const up = `CREATE TABLE IF NOT EXISTS parcel_t${String(at)} (id {id} NOT NULL PRIMARY KEY)`;
    const down = `DROP TABLE IF EXISTS parcel_t${String(at)}`;
    return [
      `migrations/${name}.ts`,
      `export const migration = { name: '${name}', up: ['${up}'], down: ['${down}'] };`,
    ];
  });
  const files = { ...sayingVersion(versionNo(number)), ...Object.fromEntries(migrations) } as Record<
    string,
    string
  >;
  return packageOf('parcel', versionNo(number), { files });
}

async function installed(installer: Latchkey['installer'], number: number): Promise<void> {
  const { id, version } = await installer.stage(system, await packageNo(number));
  await installer.use(system, id, version, { isWatched: false });
}

async function endOf(
  point: CrashPoint | 'never',
  file: string,
  env: Record<string, string>,
  ...going: string[]
): Promise<string> {
  const script = join(import.meta.dirname, '../support/crashing-install.ts');
  const child = spawn(process.execPath, [script, point, file, ...going], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? String(code);
}

async function inHouse(env: Record<string, string>, work: (house: Latchkey) => Promise<void>): Promise<void> {
  const house = await compose(readConfig(env), { log: silentLog() });
  try {
    await house.open({ work: false });
    await work(house);
  } finally {
    await house.close();
  }
}

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
