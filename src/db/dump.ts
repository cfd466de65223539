import type { Knex } from 'knex';
import type { Database, Tx } from './database.ts';

type Row = Record<string, unknown>;

const ROWS_AT_A_TIME = 1000;
const ROWS_IN_ONE_INSERT = 50;

/** Tables that describe the schema itself, or that the engine keeps for a full-text index. */
const isOurs = (table: string): boolean => !/^(schema_|sqlite_)/.test(table) && !/_fts(_\w+)?$/.test(table);

/** Every table with content of ours, plugins' included. */
export async function tableNames({ knex, dialect }: Pick<Database, 'knex' | 'dialect'>): Promise<string[]> {
  const rows: { name: string }[] = await (dialect.name === 'sqlite'
    ? knex('sqlite_master').where({ type: 'table' }).select('name')
    : knex('information_schema.tables')
        .whereRaw("table_schema = DATABASE() AND table_type = 'BASE TABLE'")
        .select({ name: 'table_name' }));
  return rows
    .map(({ name }) => name)
    .filter(isOurs)
    .sort();
}

/** Hands out all rows of all tables as they were at one moment, while everybody goes on working. */
export async function dumpTables(
  db: Database,
  write: (table: string, rows: readonly string[]) => Promise<void>,
): Promise<void> {
  const config: Knex.TransactionConfig =
    db.dialect.name === 'mysql' ? { isolationLevel: 'repeatable read' } : {};
  await db.knex.transaction(async (snapshot) => {
    const source = { knex: snapshot, dialect: db.dialect };
    for (const table of await tableNames(source)) {
      const key = await primaryKeyOf(source, table);
      for (let offset = 0; ; offset += ROWS_AT_A_TIME) {
        const rows = (await snapshot(table).orderBy(key).offset(offset).limit(ROWS_AT_A_TIME)) as Row[];
        if (rows.length > 0 || offset === 0) await write(table, rows.map(rowToLine));
        if (rows.length < ROWS_AT_A_TIME) break;
      }
    }
  }, config);
}

/** Pages of a table meet without gap or overlap only in an order that leaves nothing open. */
async function primaryKeyOf(
  { knex, dialect }: Pick<Database, 'knex' | 'dialect'>,
  table: string,
): Promise<string[]> {
  const [columns] = (await (dialect.name === 'sqlite'
    ? knex
        .raw('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', [table])
        .then((rows: unknown) => [rows])
    : knex.raw(
        `SELECT column_name AS name FROM information_schema.key_column_usage
         WHERE table_schema = DATABASE() AND table_name = ? AND constraint_name = 'PRIMARY' ORDER BY ordinal_position`,
        [table],
      ))) as [{ name: string }[]];
  if (columns.length === 0) throw new Error(`The table ${table} has no primary key`);
  return columns.map(({ name }) => name);
}

interface Load {
  readonly read: (table: string) => AsyncIterable<readonly string[]>;
  /** Tables from which nothing is ever taken: what is there stays, and what is new is added. */
  appendOnly: readonly string[];
  /** Runs in the same transaction, after the rows are in. */
  readonly afterwards: (tx: Tx) => Promise<void>;
}

/** Empties the tables and fills them again, in one transaction: afterwards all of it is there, or nothing has changed. */
export async function loadTables(db: Database, { read, appendOnly, afterwards }: Load): Promise<void> {
  const tables = await tableNames(db);
  const load = async (tx: Tx): Promise<void> => {
    for (const table of tables) if (!appendOnly.includes(table)) await tx.knex(table).delete();
    for (const table of tables) {
      const insert = appendOnly.includes(table) ? insertMissing : insertAll;
      for await (const lines of read(table)) await insert(tx, table, lines.map(lineToRow));
    }
  };
  await db.transaction(
    async (tx) => {
      await withoutForeignKeys(tx, () => load(tx));
      await afterwards(tx);
    },
    { attempts: 1, withinMs: 0 },
  );
}

/** Not `IGNORE`, which on MariaDB also swallows what does not fit. */
async function insertAll(tx: Tx, table: string, rows: readonly Row[]): Promise<void> {
  for (const some of inPieces(rows)) await tx.knex(table).insert(some);
}

async function insertMissing(tx: Tx, table: string, rows: readonly Row[]): Promise<void> {
  for (const some of inPieces(rows)) await tx.knex(table).insert(some).onConflict().ignore();
}

function* inPieces(rows: readonly Row[]): Generator<Row[]> {
  for (let at = 0; at < rows.length; at += ROWS_IN_ONE_INSERT) yield rows.slice(at, at + ROWS_IN_ONE_INSERT);
}

/** Rows may come before those that they point at. */
export async function withoutForeignKeys(tx: Tx, work: () => Promise<void>): Promise<void> {
  if (tx.dialect.name === 'sqlite') {
    await tx.knex.raw('PRAGMA defer_foreign_keys = ON');
    await work();
    return;
  }
  await tx.knex.raw('SET FOREIGN_KEY_CHECKS = 0');
  try {
    await work();
  } finally {
    await tx.knex.raw('SET FOREIGN_KEY_CHECKS = 1');
  }
}

/** One JSON object a line; bytes as `{"$bytes": "<base64>"}`. */
export const rowToLine = (row: Row): string =>
  JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, encoded(value)])));

const encoded = (value: unknown): unknown =>
  value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString('base64') } : value;

export const lineToRow = (line: string): Row =>
  Object.fromEntries(Object.entries(JSON.parse(line) as Row).map(([name, value]) => [name, decoded(value)]));

const decoded = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && '$bytes' in value
    ? Buffer.from(String(value.$bytes), 'base64')
    : value;
