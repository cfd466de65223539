import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { UnavailableError } from '../shared/errors.ts';
import type { Dialect, Row } from './dialect.ts';
import { mysqlDialect, openMysql } from './mysql.ts';
import { clientOf, OpenTransaction, poolOf, type Connection, type Task } from './open-transaction.ts';
import type { Insert } from './written-out.ts';
import { openSqlite, sqliteDialect } from './sqlite.ts';

/** Anything that can run a statement: the pool, or a transaction. */
export interface Queryable {
  readonly knex: Knex;
  readonly dialect: Dialect;
  /**
   * Past the query builder, which takes ten times as long as the query: for what a class of three hundred asks for at once.
   * `sql` is the same text each time, with a `?` for each of `values`, so that it is prepared once.
   */
  rows(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A database that says how often this process has changed it: what was read holds, for this process, while that stands still. */
export interface Changing {
  readonly changes: number;
}

declare const open: unique symbol;

/** An open transaction. Writes ask for one, so that the compiler proves none is left out. */
export interface Tx extends Queryable {
  readonly [open]: true;
  /** As `rows`, for a statement that writes: how many rows it has changed. */
  write(sql: string, values?: readonly unknown[]): Promise<number>;
  /**
   * As `write`, for an UPDATE of one row that adds `by` to `column`: what it came to, or null where no row was as it must be.
   * `sql` puts the assignment it is given among its own.
   */
  raise(
    counter: { column: string; by: number },
    sql: (assignment: string) => string,
    values: readonly unknown[],
  ): Promise<number | null>;
  /** See `insertRows`. */
  insert(insert: Insert): Promise<void>;
  /**
   * From here on rows that are inserted wait for others of the same table, and are written with them: before anything else is
   * said, and at the end. What is wrong with one is then heard late, and of all.
   */
  gather(): void;
  /** Runs `task` once everything is durable; never, if it is rolled back. */
  onCommit(task: Task): void;
  /** Runs `task` as the last thing of the transaction: for what is gathered on the way and written in one go. */
  atTheEnd(task: Task): void;
}

type Work<T> = (tx: Tx) => Promise<T>;

interface Pools {
  writer: Knex;
  reader: Knex;
  /** Where DDL is said: on a connection that need not be in a transaction. */
  definer: Knex;
  dialect: Dialect;
}

export interface RetryPolicy {
  attempts: number;
  withinMs: number;
}

const RETRY: RetryPolicy = { attempts: 10, withinMs: 5_000 };
const LONGEST_PAUSE_MS = 1_000;
const FIRST_PAUSE_MS = 10;
const ROLLBACK_MS = 5_000;

export class Database implements Queryable, Changing {
  readonly dialect: Dialect;
  /** For reading. Inside a transaction use its own `tx.knex` and never this. */
  readonly knex: Knex;
  readonly #writer: Knex;
  readonly #definer: Knex;
  #retries = 0;
  #changes = 0;

  constructor({ writer, reader, definer, dialect }: Pools) {
    this.#writer = writer;
    this.#definer = definer;
    this.knex = reader;
    this.dialect = dialect;
  }

  /** Opens `sqlite:<file>` or `mysql://…`; there `poolSize` connections at most for transactions, and as many for reading. One that is thrown away with the process need not outlive a loss of power. */
  static open(url: string, { poolSize = 10, isThrowaway = false } = {}): Database {
    if (url.startsWith('sqlite:')) {
      const { writer, reader } = openSqlite(url.slice('sqlite:'.length), { isThrowaway });
      return new Database({ writer, reader, definer: writer, dialect: sqliteDialect });
    }
    // Ten transactions that wait for an eleventh connection to read something would wait for each other: readers have their own.
    const reader = openMysql(url, { poolSize, writes: false });
    return new Database({
      writer: openMysql(url, { poolSize, writes: true }),
      reader,
      definer: reader,
      dialect: mysqlDialect,
    });
  }

  get changes(): number {
    return this.#changes;
  }

  /** Whether somebody waits for a connection at this moment. */
  get isCrowded(): boolean {
    return [this.#writer, this.knex].some((knex) => (poolOf(knex)?.numPendingAcquires() ?? 0) > 0);
  }

  /** How often a transaction had to be run again since the start; shown by `/metrics`. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * Runs `work` in one transaction, again from its beginning when the engine sacrificed it. So `work` must not leave the
   * database: what leaves the house waits in `tx.onCommit`. The first statement of a contended write is the guarded write itself.
   */
  async transaction<T>(work: Work<T>, policy: RetryPolicy = RETRY): Promise<T> {
    let beganAt: number | null = null;
    // Whoever has to wait for a connection has not begun.
    const timed: Work<T> = (tx) => {
      beganAt ??= Date.now();
      return work(tx);
    };
    const { result, tasks } = await this.#again(
      () => this.#run(timed),
      policy,
      () => beganAt,
    );
    this.#changes += 1;
    for (const task of tasks) await task();
    return result;
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = clientOf(this.knex);
    const connection = await client.acquireConnection();
    try {
      return (await this.dialect.run(connection, sql, values)).rows;
    } finally {
      await client.releaseConnection(connection);
    }
  }

  async close(): Promise<void> {
    await this.knex.destroy();
    if (this.#writer !== this.knex) await this.#writer.destroy();
  }

  /** DDL and PRAGMAs, outside any transaction; for migrations only. */
  async execute(statement: string, bindings: Knex.RawBinding[] = []): Promise<unknown> {
    return this.#again(() => this.#definer.raw(statement, bindings), RETRY);
  }

  /** Our own and not knex's, whose transaction makes a whole knex each time, asked for or not. */
  async #run<T>(work: Work<T>): Promise<{ result: T; tasks: readonly Task[] }> {
    const client = clientOf(this.#writer);
    const { dialect } = this;
    const connection = await client.acquireConnection();
    const transaction = new OpenTransaction({ client, connection, dialect });
    try {
      if (dialect.begin !== null) await dialect.run(connection, dialect.begin, []);
      const result = await work(openTx(transaction));
      const tasks = await transaction.finish();
      await dialect.run(connection, 'COMMIT', []);
      return { result, tasks };
    } catch (error) {
      transaction.close();
      await this.#rollBack(connection);
      throw error;
    } finally {
      await client.releaseConnection(connection);
    }
  }

  /** What went wrong before is what matters; a connection of which nobody knows how it stands is not used again. */
  async #rollBack(connection: Connection): Promise<void> {
    try {
      await inTime(this.dialect.run(connection, 'ROLLBACK', []));
    } catch (error) {
      connection.__knex__disposed = error;
    }
  }

  async #again<T>(
    attempt: () => Promise<T>,
    { attempts, withinMs }: RetryPolicy,
    beganAt: () => number | null = () => null,
  ): Promise<T> {
    const asked = Date.now();
    for (let tried = 1; ; tried += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!this.dialect.isTransactionLost(error)) throw error;
        if (tried >= attempts || Date.now() >= (beganAt() ?? asked) + withinMs) {
          throw new UnavailableError('database.busy', { cause: error, retryAfter: 2 });
        }
        this.#retries += 1;
        await sleep(fullJitter(tried));
      }
    }
  }
}

/** The only place where a `Tx` comes into being. */
const openTx = (transaction: OpenTransaction): Tx => transaction as unknown as Tx;

/** A server that has stopped answering does not answer this either. */
async function inTime(answer: unknown): Promise<void> {
  const patience = new AbortController();
  const late = sleep(ROLLBACK_MS, undefined, { signal: patience.signal, ref: false }).then(() => {
    throw new Error('ROLLBACK was not answered');
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    late.catch(() => undefined);
    patience.abort();
  }
}

/** Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const fullJitter = (tried: number): number =>
  Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tried);
