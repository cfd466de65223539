import { dirname, join } from 'node:path';
import mysql from 'mysql2/promise';
import { Database } from '../../src/db/database.ts';
import { loadMigrations } from '../../src/db/migration-files.ts';
import { CORE, migrate } from '../../src/db/migrations.ts';

const MIGRATIONS = join(import.meta.dirname, '../../migrations');

interface Places {
  folder: string;
  mysqlUrl: string | null;
}

export const sqliteTemplate = (folder: string): string => join(folder, 'template.sqlite');

/** Schemas of one run share a prefix, so that runs on one server do not meet. */
export const schemaPrefix = (folder: string): string =>
  `latchkey_test_${folder.slice(dirname(folder).length + 1).replace(/\W/g, '_')}`;

export const mysqlTemplate = (folder: string): string => `${schemaPrefix(folder)}_template`;

export function urlOfSchema(mysqlUrl: string, schema: string): string {
  const url = new URL(mysqlUrl);
  url.pathname = `/${schema}`;
  return url.href;
}

/** Migrates each engine once; every test gets a copy. */
export async function prepareTemplates({ folder, mysqlUrl }: Places): Promise<void> {
  await migrateInto(`sqlite:${sqliteTemplate(folder)}`);
  if (mysqlUrl === null) return;
  await executeOn(mysqlUrl, `CREATE DATABASE ${mysqlTemplate(folder)}`);
  await migrateInto(urlOfSchema(mysqlUrl, mysqlTemplate(folder)));
}

/** A server that is not ours is left as it was. */
export async function dropSchemas({ folder, mysqlUrl }: Places): Promise<void> {
  if (mysqlUrl === null) return;
  const connection = await mysql.createConnection(mysqlUrl);
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    'SELECT schema_name AS name FROM information_schema.schemata WHERE LEFT(schema_name, ?) = ?',
    [schemaPrefix(folder).length, schemaPrefix(folder)],
  );
  for (const { name } of rows) await connection.query(`DROP DATABASE ${String(name)}`);
  await connection.end();
}

export async function executeOn(mysqlUrl: string, statement: string): Promise<void> {
  const connection = await mysql.createConnection(mysqlUrl);
  await connection.query(statement);
  await connection.end();
}

async function migrateInto(url: string): Promise<void> {
  const db = Database.open(url);
  await migrate(db, CORE, await loadMigrations(MIGRATIONS));
  await db.close();
}
