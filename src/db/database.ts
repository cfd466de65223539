import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { UnavailableError } from '../shared/errors.ts';
import type { Dialect } from './dialect.ts';
import { mysqlDialect, openMysql } from './mysql.ts';
import { openSqlite, sqliteDialect } from './sqlite.ts';

/** Anything that can run a statement: the pool, or a transaction. */
export interface Queryable {
  readonly knex: Knex;
  readonly dialect: Dialect;
}

/** A database that says how often this process has changed it: what was read holds, for this process, while that stands still. */
export interface Changing {
  readonly changes: number;
}

declare const open: unique symbol;

/** An open transaction. Writes ask for one, so that the compiler proves none is left out. */
export interface Tx extends Queryable {
  readonly [open]: true;
  /** Runs `task` once everything is durable; never, if it is rolled back. */
  onCommit(task: Task): void;
  /** Runs `task` as the last thing of the transaction: for what is gathered on the way and written in one go. */
  atTheEnd(task: Task): void;
}

type Task = () => void | Promise<void>;
type Work<T> = (tx: Tx) => Promise<T>;

interface Pools {
  writer: Knex;
  reader: Knex;
  dialect: Dialect;
}

export interface RetryPolicy {
  attempts: number;
  withinMs: number;
}

const RETRY: RetryPolicy = { attempts: 10, withinMs: 5_000 };
const LONGEST_PAUSE_MS = 1_000;
const FIRST_PAUSE_MS = 10;

export class Database implements Queryable, Changing {
  readonly dialect: Dialect;
  /** For reading. Inside a transaction use its own `tx.knex` and never this. */
  readonly knex: Knex;
  readonly #writer: Knex;
  #retries = 0;
  #changes = 0;

  constructor({ writer, reader, dialect }: Pools) {
    this.#writer = writer;
    this.knex = reader;
    this.dialect = dialect;
  }

  /** Opens `sqlite:<file>` or `mysql://…`. */
  static open(url: string, { poolSize = 10 } = {}): Database {
    if (url.startsWith('sqlite:')) {
      return new Database({ ...openSqlite(url.slice('sqlite:'.length)), dialect: sqliteDialect });
    }
    const pool = openMysql(url, { poolSize });
    return new Database({ writer: pool, reader: pool, dialect: mysqlDialect });
  }

  get changes(): number {
    return this.#changes;
  }

  /** How often a transaction had to be run again since the start; shown by `/metrics`. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * Runs `work` in one transaction, again from its beginning when the engine sacrificed it. So `work` must not leave the
   * database: what leaves the house waits in `tx.onCommit`. The first statement of a contended write is the guarded write itself.
   *
   * Never `const trx = await knex.transaction()`: that form reports success when COMMIT failed (spec: reliability, finding 1).
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

  async close(): Promise<void> {
    await this.knex.destroy();
    if (this.#writer !== this.knex) await this.#writer.destroy();
  }

  /** DDL and PRAGMAs, outside any transaction; for migrations only. */
  async execute(statement: string, bindings: Knex.RawBinding[] = []): Promise<unknown> {
    return this.#again(() => this.#writer.raw(statement, bindings), RETRY);
  }

  async #run<T>(work: Work<T>): Promise<{ result: T; tasks: Task[] }> {
    const tasks: Task[] = [];
    const onCommit = (task: Task): void => void tasks.push(task);
    const result = await this.#writer.transaction(async (inner) => {
      const last: Task[] = [];
      const atTheEnd = (task: Task): void => void last.push(task);
      const done = await work(openTx({ knex: inner, dialect: this.dialect, onCommit, atTheEnd }));
      for (const task of last) await task();
      return done;
    });
    return { result, tasks };
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
const openTx = (inner: Omit<Tx, typeof open>): Tx => inner as Tx;

/** Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const fullJitter = (tried: number): number =>
  Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tried);
