import { createRequire } from 'node:module';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import knexModule, { type Knex } from 'knex';
import { quiet } from './quiet.ts';
import { codeOf, ddlWith, type Answer, type Dialect } from './dialect.ts';

const require = createRequire(import.meta.url);

interface QueryObject {
  sql: string;
  bindings?: readonly unknown[];
  response?: unknown;
  context?: { lastID: number | bigint; changes: number | bigint };
}

/** The part of knex's client class that a dialect overrides. */
interface KnexClient {
  connectionSettings: { filename: string; readOnly?: boolean; isThrowaway?: boolean };
}
type KnexClientClass = new (config: Knex.Config) => KnexClient;

// knex keeps its dialects unexported and untyped; this one is the nearest to the SQLite inside Node.
const BetterSqlite3Client = require('knex/lib/dialects/better-sqlite3/index.js') as KnexClientClass;

const BUSY_TIMEOUT_MS = 5;
const MAX_CACHED_STATEMENTS = 500;
/** A checkpoint writes and syncs once more what was just written; with SQLite's own 1,000 one package of a plugin would bring one about. */
const CHECKPOINT_PAGES = 4_000;

interface Prepared {
  statement: StatementSync;
  /** Asked once: describing forty columns takes longer than reading them. */
  returnsRows: boolean;
}

/** A connection that remembers what it has prepared: half of a small query's time is preparing it. */
class Connection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();

  constructor(filename: string, { readOnly, isThrowaway }: { readOnly: boolean; isThrowaway: boolean }) {
    this.#db = new DatabaseSync(filename, { readOnly, timeout: BUSY_TIMEOUT_MS });
    const synchronous = isThrowaway ? 'OFF' : 'FULL';
    if (!readOnly) this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
    if (!readOnly) this.#db.exec(`PRAGMA wal_autocheckpoint = ${String(CHECKPOINT_PAGES)}`);
    this.#db.exec('PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000');
  }

  prepare(sql: string): Prepared {
    const known = this.#statements.get(sql);
    if (known) return known;
    if (this.#statements.size >= MAX_CACHED_STATEMENTS) this.#statements.clear();
    const statement = this.#db.prepare(sql);
    const prepared = { statement, returnsRows: statement.columns().length > 0 };
    this.#statements.set(sql, prepared);
    return prepared;
  }

  run(sql: string, values: readonly unknown[]): Answer {
    // A COMMIT that failed (a full disk) may have left its transaction open, or not.
    if (sql === 'ROLLBACK' && !this.#db.isTransaction) return NOTHING;
    const { statement, returnsRows } = this.prepare(sql);
    if (!returnsRows) return { ...NOTHING, changed: Number(statement.run(...values.map(asInput)).changes) };
    const rows = statement.all(...values.map(asInput));
    const raisedTo = rows[0]?.[RAISED];
    return { ...NOTHING, rows, raisedTo: typeof raisedTo === 'number' ? raisedTo : null };
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

/** knex over `node:sqlite`: its better-sqlite3 dialect with another driver under it. */
class NodeSqliteClient extends BetterSqlite3Client {
  _driver(): unknown {
    return DatabaseSync;
  }

  acquireRawConnection(): Promise<Connection> {
    const { filename, readOnly = false, isThrowaway = false } = this.connectionSettings;
    return Promise.resolve(new Connection(filename, { readOnly, isThrowaway }));
  }

  destroyRawConnection(connection: Connection): Promise<void> {
    connection.close();
    return Promise.resolve();
  }

  _query(connection: Connection, query: QueryObject): Promise<QueryObject> {
    const { statement, returnsRows } = connection.prepare(query.sql);
    const bindings = (query.bindings ?? []).map(asInput);
    if (returnsRows) {
      query.response = statement.all(...bindings);
    } else {
      const done = statement.run(...bindings);
      query.response = done;
      query.context = { lastID: done.lastInsertRowid, changes: done.changes };
    }
    return Promise.resolve(query);
  }
}

const RAISED = 'raised_to';
const NOTHING: Answer = { rows: [], changed: 0, raisedTo: null };

function asInput(value: unknown): SQLInputValue {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return value.getTime();
  return value as SQLInputValue;
}

/** One writer and one reader per process: `node:sqlite` is synchronous, two writers would stop each other and the event loop. */
export function openSqlite(
  filename: string,
  { isThrowaway }: { isThrowaway: boolean },
): { writer: Knex; reader: Knex } {
  const knexOver = (readOnly: boolean): Knex =>
    knexModule({
      log: quiet,
      client: NodeSqliteClient as unknown as typeof Knex.Client,
      connection: { filename, readOnly, isThrowaway } as Knex.StaticConnectionConfig,
      pool: { min: 1, max: 1, idleTimeoutMillis: 2 ** 31 - 1 },
      acquireConnectionTimeout: 30_000,
      useNullAsDefault: true,
    });
  return { writer: knexOver(false), reader: knexOver(true) };
}

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  // A deferred BEGIN takes the lock at its first write and is refused there; this one waits its turn outside.
  begin: 'BEGIN IMMEDIATE',
  run: (connection, sql, values) => (connection as Connection).run(sql, values),
  ddl: ddlWith(
    {
      id: 'CHAR(26)',
      instant: 'INTEGER',
      digest: 'BLOB',
      bytes: 'BLOB',
      text: 'TEXT',
      flag: 'INTEGER',
      number: 'INTEGER',
    },
    '',
  ),
  raised: ({ column, by }) => ({
    assignment: `${column} = ${column} + ${String(by)}`,
    ending: ` RETURNING ${column} AS ${RAISED}`,
  }),
  unlessThere: (columns) => `ON CONFLICT (${columns.join(', ')}) DO NOTHING`,
  isTransactionLost: (error) =>
    isSqliteError(error) && /database (table )?is (locked|busy)|snapshot/i.test(error.message),
  isDuplicate: (error) => isSqliteError(error) && /UNIQUE constraint failed/.test(error.message),
  isAlreadyThere: (error) =>
    isSqliteError(error) && /already exists|duplicate column name/i.test(error.message),
  search: {
    createIndex: (table) => [
      `CREATE VIRTUAL TABLE IF NOT EXISTS ${table}_fts USING fts5(search_text, content='${table}', content_rowid='number', tokenize="unicode61 remove_diacritics 0", prefix='3 4 5')`,
      `CREATE TRIGGER IF NOT EXISTS ${table}_fts_insert AFTER INSERT ON ${table} BEGIN INSERT INTO ${table}_fts(rowid, search_text) VALUES (new.number, new.search_text); END`,
      `CREATE TRIGGER IF NOT EXISTS ${table}_fts_delete AFTER DELETE ON ${table} BEGIN INSERT INTO ${table}_fts(${table}_fts, rowid, search_text) VALUES ('delete', old.number, old.search_text); END`,
      `CREATE TRIGGER IF NOT EXISTS ${table}_fts_update AFTER UPDATE OF search_text ON ${table} BEGIN INSERT INTO ${table}_fts(${table}_fts, rowid, search_text) VALUES ('delete', old.number, old.search_text); INSERT INTO ${table}_fts(rowid, search_text) VALUES (new.number, new.search_text); END`,
    ],
    condition: (table, words) => ({
      sql: `${table}.number IN (SELECT rowid FROM ${table}_fts WHERE ${table}_fts MATCH ?)`,
      bindings: [words.map((word) => `"${word}"*`).join(' AND ')],
    }),
  },
};

const isSqliteError = (error: unknown): error is Error =>
  error instanceof Error && codeOf(error) === 'ERR_SQLITE_ERROR';
