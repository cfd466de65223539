import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, inject } from 'vitest';
import { Database } from '../../src/db/database.ts';
import { newId } from '../../src/shared/ids.ts';
import { afterwards } from './cleanup.ts';
import { sqliteTemplate } from './database-names.ts';
import { MysqlSchemas } from './mysql-schemas.ts';

export type Engine = 'sqlite' | 'mysql';

export interface FreshDatabase {
  engine: Engine;
  /** As in LATCHKEY_DATABASE_URL. */
  url: string;
}

const names: Record<Engine, string> = { sqlite: 'SQLite', mysql: 'MariaDB' };

/** The same tests on SQLite and on MariaDB, where that is to be had. */
export function describeOnEachEngine(name: string, body: (engine: Engine) => void): void {
  for (const engine of inject('engines')) {
    describe(`${name}, on ${names[engine]}`, () => {
      body(engine);
    });
  }
}

/** A database of this test's own: of a house that is set up, or with no table at all. Gone when the test ends. */
export async function freshDatabase(engine: Engine, { empty = false } = {}): Promise<FreshDatabase> {
  const fault = inject('fault');
  if (!empty && fault !== null) throw new Error(`No house could be furnished: ${fault}`);
  return engine === 'sqlite' ? freshSqlite({ empty }) : freshMysql({ empty });
}

/** As `freshDatabase`, opened. */
export async function openFreshDatabase(
  engine: Engine,
  { empty = false } = {},
): Promise<FreshDatabase & { db: Database }> {
  const fresh = await freshDatabase(engine, { empty });
  return { ...fresh, db: openDatabase(fresh.url) };
}

/** One more connection pool to a database, as another process would have. */
export function openDatabase(url: string): Database {
  const db = Database.open(url, { isThrowaway: true });
  afterwards(() => db.close());
  return db;
}

async function freshSqlite({ empty }: { empty: boolean }): Promise<FreshDatabase> {
  const folder = inject('folder');
  const file = join(folder, `${newId()}.sqlite`);
  if (!empty) await copyFile(sqliteTemplate(folder), file);
  afterwards(async () => {
    for (const part of ['', '-wal', '-shm']) await rm(`${file}${part}`, { force: true });
  });
  return { engine: 'sqlite', url: `sqlite:${file}` };
}

let schemas: MysqlSchemas | null = null;

async function freshMysql({ empty }: { empty: boolean }): Promise<FreshDatabase> {
  const pool = mysqlSchemas();
  const url = empty ? await pool.takeEmpty() : await pool.take();
  afterwards(() => (empty ? pool.drop(url) : pool.giveBack(url)));
  return { engine: 'mysql', url };
}

function mysqlSchemas(): MysqlSchemas {
  const mysqlUrl = inject('mysqlUrl');
  if (mysqlUrl === null) throw new Error('There is no MariaDB in this run: use describeOnEachEngine');
  schemas ??= new MysqlSchemas({ mysqlUrl, folder: inject('folder') });
  return schemas;
}
