import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { urlOfSchema } from '../test/support/database-names.ts';
import { furnish, MASTER_KEY } from '../test/support/house.ts';
import { mariadbIsInstalled, startMariaDb } from '../test/support/mariadb.ts';
import { executeOn } from '../test/support/mysql-schemas.ts';
import { spawnServer, type ServerOptions, type TestServer } from '../test/support/server-process.ts';

/** A house that is set up and has nobody but its owner. */
export interface Place {
  engine: 'SQLite' | 'MariaDB';
  databaseUrl: string;
  dataDir: string;
  env: { LATCHKEY_KEY: string };
}

export interface Ground {
  /** On SQLite, and on MariaDB where there is one; others each time. */
  places(): Promise<Place[]>;
  /** On SQLite, another each time. */
  place(): Promise<Place>;
  folder(name: string): Promise<string>;
  /** Stopped at the end, whatever happens. */
  start(options: Partial<ServerOptions>): Promise<TestServer>;
}

/** Runs a bench on databases and in folders of its own; the answer says whether every bar was reached. */
export async function withGround(bench: (ground: Ground) => Promise<boolean>): Promise<boolean> {
  const home = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
  const folder = (name: string): Promise<string> => mkdtemp(join(home, `${name}-`));
  const furnished = async (engine: Place['engine'], databaseUrl: string): Promise<Place> => {
    const dataDir = await folder('data');
    await furnish(databaseUrl, dataDir);
    return { engine, databaseUrl, dataDir, env: { LATCHKEY_KEY: MASTER_KEY } };
  };
  let mysql: Promise<string | null> | null = null;
  let schemas = 0;
  const place = async (): Promise<Place> =>
    furnished('SQLite', `sqlite:${join(await folder('database'), 'bench.sqlite')}`);
  const places = async (): Promise<Place[]> => {
    const sqlite = await place();
    const mysqlUrl = await (mysql ??= mysqlServer(home, stops));
    if (mysqlUrl === null) return [sqlite];
    schemas += 1;
    const schema = `latchkey_bench_${String(Date.now())}_${String(schemas)}`;
    await executeOn(mysqlUrl, `CREATE DATABASE ${schema}`);
    stops.push(() => executeOn(mysqlUrl, `DROP DATABASE ${schema}`));
    return [sqlite, await furnished('MariaDB', urlOfSchema(mysqlUrl, schema))];
  };
  const start = async (options: Partial<ServerOptions>): Promise<TestServer> => {
    const server = await spawnServer({ dataDir: options.dataDir ?? (await folder('data')), ...options });
    stops.push(() => server.kill9());
    return server;
  };
  console.log(`Node ${process.version}, ${String(availableParallelism())} cores`);
  try {
    return await bench({ place, places, folder, start });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function mysqlServer(home: string, stops: (() => Promise<unknown>)[]): Promise<string | null> {
  const given = process.env['LATCHKEY_TEST_MYSQL_URL'];
  if (given !== undefined) return given;
  if (!mariadbIsInstalled()) {
    console.log('MariaDB is not installed: SQLite only');
    return null;
  }
  const own = await startMariaDb(join(home, 'mariadb'), { durable: true });
  stops.push(() => own.stop());
  return own.url;
}
