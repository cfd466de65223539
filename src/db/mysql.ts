import knexModule, { type Knex } from 'knex';
import { quiet } from './quiet.ts';
import { codeOf, ddlWith, errnoOf, type Answer, type Dialect, type Row } from './dialect.ts';

const STATEMENT_TIMEOUT_MS = 15_000;
/** A machine under load may take its time; whoever cannot wait is told so by other deadlines. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What MariaDB, MySQL and Galera say when a transaction was sacrificed and may be run again whole. */
const LOST = new Set([
  1213, // deadlock; on Galera also a failed certification
  1205, // lock wait timeout
  1020, // the row changed under snapshot isolation
  1047, // this node is not ready
  3101, // group replication
]);

/** On each connection; the statements that are written out are a few dozen. */
const MOST_PREPARED = 200;

interface ResultHeader {
  affectedRows: number;
  insertId: number;
}

interface RawConnection {
  execute(sql: string, values: readonly unknown[], done: (error: unknown, answer: unknown) => void): void;
  query(sql: string, done: (error: unknown) => void): void;
  query(sql: string, values: readonly unknown[], done: (error: unknown, answer: unknown) => void): void;
}

/**
 * A pool in which every connection has strict SQL, UTC, and reads that see what other nodes have acknowledged. One that writes is
 * always in a transaction, which spares each of them a BEGIN.
 */
export function openMysql(url: string, { poolSize, writes }: { poolSize: number; writes: boolean }): Knex {
  return knexModule({
    log: quiet,
    client: 'mysql2',
    connection: { ...connectionFrom(url), connectTimeout: CONNECT_TIMEOUT_MS } as Knex.MySql2ConnectionConfig,
    acquireConnectionTimeout: 30_000,
    pool: {
      min: 0,
      max: poolSize,
      afterCreate: (connection: RawConnection, done: (error: unknown, connection: unknown) => void) => {
        prepareConnection(connection, { writes }).then(
          () => {
            done(null, connection);
          },
          (error: unknown) => {
            done(error, connection);
          },
        );
      },
    },
  });
}

function connectionFrom(url: string): Record<string, unknown> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const socketPath = searchParams.get('socketPath');
  return {
    ...(socketPath ? { socketPath } : { host: hostname, port: port ? Number(port) : 3306 }),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    supportBigNumbers: true,
    maxPreparedStatements: MOST_PREPARED,
    ...(searchParams.get('ssl') === 'true' ? { ssl: {} } : {}),
  };
}

async function prepareConnection(connection: RawConnection, { writes }: { writes: boolean }): Promise<void> {
  const run = (sql: string): Promise<Answer> => answerOf(connection, sql, []);
  await run(
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'",
  );
  if (writes) await run('SET SESSION autocommit = 0');
  // Each of these exists on some engines only; where it does not, 1193 says so and nothing is lost.
  const whereKnown = [
    'SET SESSION wsrep_sync_wait = 1',
    // A full-text index keeps the setting it was made under: with stop words, searching "the printer" finds nothing.
    'SET SESSION innodb_ft_enable_stopword = OFF',
    `SET SESSION max_statement_time = ${String(STATEMENT_TIMEOUT_MS / 1000)}`,
    `SET SESSION max_execution_time = ${String(STATEMENT_TIMEOUT_MS)}`,
  ];
  for (const statement of whereKnown) {
    await run(statement).catch((error: unknown) => {
      if (errnoOf(error) !== 1193) throw error;
    });
  }
}

function answerOf(connection: RawConnection, sql: string, values: readonly unknown[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const done = (error: unknown, answer: unknown): void => {
      if (error)
        reject(error instanceof Error ? error : new Error('A statement was refused', { cause: error }));
      else if (Array.isArray(answer)) resolve({ rows: answer as Row[], changed: 0, raisedTo: null });
      else resolve(changes(answer as ResultHeader));
    };
    // What has values is said again and again, and prepared: that takes a quarter off, here and in the server. BEGIN cannot be.
    if (values.length === 0) connection.query(sql, values, done);
    else connection.execute(sql, values.map(asInput), done);
  });
}

const changes = ({ affectedRows, insertId }: ResultHeader): Answer => ({
  rows: [],
  changed: affectedRows,
  raisedTo: affectedRows === 1 ? insertId : null,
});

const asInput = (value: unknown): unknown => value ?? null;

export const mysqlDialect: Dialect = {
  name: 'mysql',
  begin: null,
  run: (connection, sql, values) => answerOf(connection as RawConnection, sql, values),
  ddl: ddlWith(
    {
      id: 'CHAR(26) CHARACTER SET ascii COLLATE ascii_bin',
      instant: 'BIGINT',
      digest: 'BINARY(32)',
      bytes: 'LONGBLOB',
      text: 'MEDIUMTEXT',
      flag: 'SMALLINT',
      number: 'BIGINT',
    },
    ' ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  ),
  raised: ({ column, by }) => ({
    assignment: `${column} = LAST_INSERT_ID(${column} + ${String(by)})`,
    ending: '',
  }),
  // It says which constraint by itself, and must be given something to write.
  unlessThere: ([column = '']) => `ON DUPLICATE KEY UPDATE ${column} = ${column}`,
  isTransactionLost: (error) => LOST.has(errnoOf(error)),
  isDuplicate: (error) => codeOf(error) === 'ER_DUP_ENTRY',
  isAlreadyThere: (error) =>
    ['ER_TABLE_EXISTS_ERROR', 'ER_DUP_FIELDNAME', 'ER_DUP_KEYNAME', 'ER_FK_DUP_NAME'].includes(codeOf(error)),
  search: {
    createIndex: (table) => [`CREATE FULLTEXT INDEX ${table}_fulltext ON ${table} (search_text)`],
    condition: (table, words) => ({
      sql: `MATCH (${table}.search_text) AGAINST (? IN BOOLEAN MODE)`,
      bindings: [words.map((word) => `+${word}*`).join(' ')],
    }),
  },
};
