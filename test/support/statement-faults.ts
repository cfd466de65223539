import { StatementSync } from 'node:sqlite';
import type { Database } from '../../src/db/database.ts';

interface Fault {
  /** The engine's own words for it. */
  error: () => Error;
  /** Whether the engine has thrown the transaction away with it, as it does to end a deadlock. */
  losesTransaction: boolean;
}

const mysqlError = (errno: number, code: string, message: string): Error =>
  Object.assign(new Error(message), { errno, code, sqlState: '40001' });

export const mysqlFaults: Record<string, Fault> = {
  1213: { error: () => mysqlError(1213, 'ER_LOCK_DEADLOCK', 'Deadlock found'), losesTransaction: true },
  1205: {
    error: () => mysqlError(1205, 'ER_LOCK_WAIT_TIMEOUT', 'Lock wait timeout'),
    losesTransaction: false,
  },
  1020: { error: () => mysqlError(1020, 'ER_CHECKREAD', 'Record has changed'), losesTransaction: true },
  1047: { error: () => mysqlError(1047, 'ER_UNKNOWN_COM_ERROR', 'WSREP: not ready'), losesTransaction: true },
};

export const sqliteFaults: Record<string, Fault> = {
  SQLITE_BUSY: {
    error: () => Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR', errcode: 5 }),
    losesTransaction: false,
  },
};

/** Counts the statements of everybody in this process, and lets one of them fail. */
export interface Saboteur {
  /** How many statements there were since the last call. */
  count(): number;
  /** The `at`-th statement from now fails, and only that one. */
  failAt(at: number, fault: Fault): void;
  /** How many of the faults ordered have happened. */
  readonly happened: number;
  undo(): void;
}

/** Statements that end or begin what the others are part of go through the same door, so COMMIT can fail as well. */
export async function sabotage(db: Database): Promise<Saboteur> {
  return db.dialect.name === 'sqlite' ? sabotageSqlite() : sabotageMysql(db);
}

class Plan {
  happened = 0;
  #seen = 0;
  #failAt: number | null = null;
  #fault: Fault | null = null;

  count(): number {
    const seen = this.#seen;
    this.#seen = 0;
    return seen;
  }

  failAt(at: number, fault: Fault): void {
    this.#seen = 0;
    this.#failAt = at;
    this.#fault = fault;
  }

  /** What is wrong with this statement, if anything. */
  next(sql: string): Fault | null {
    if (/^\s*(ROLLBACK|SET )/i.test(sql)) return null;
    this.#seen += 1;
    if (this.#seen !== this.#failAt) return null;
    this.#failAt = null;
    this.happened += 1;
    return this.#fault;
  }
}

function sabotageSqlite(): Saboteur {
  const plan = new Plan();
  const prototype = StatementSync.prototype;
  const { run, all } = prototype;
  const guarded = <M extends typeof run | typeof all>(method: M): M =>
    function (this: StatementSync, ...bindings: Parameters<M>) {
      const fault = plan.next(this.sourceSQL);
      if (fault) throw fault.error();
      return Reflect.apply(method, this, bindings) as ReturnType<M>;
    } as unknown as M;
  prototype.run = guarded(run);
  prototype.all = guarded(all);
  return extend(plan, () => {
    prototype.run = run;
    prototype.all = all;
  });
}

type Ask = (statement: { sql: string } | string, ...rest: unknown[]) => unknown;
/** What is prepared goes through one door, what is not through the other. */
interface Connection {
  query: Ask;
  execute: Ask;
}
interface Pool {
  acquireConnection(): Promise<Connection>;
  releaseConnection(connection: Connection): Promise<void>;
}

async function sabotageMysql(db: Database): Promise<Saboteur> {
  const plan = new Plan();
  const pool = db.knex.client as Pool;
  const connection = await pool.acquireConnection();
  await pool.releaseConnection(connection);
  const prototype = prototypeWithQuery(connection);
  const { query, execute } = prototype;
  const guarded = (ask: Ask): Ask =>
    function (this: Connection, statement, ...rest) {
      const fault = plan.next(typeof statement === 'string' ? statement : statement.sql);
      if (!fault) return Reflect.apply(ask, this, [statement, ...rest]);
      const done = rest.at(-1) as (error: unknown) => void;
      const fail = (): void => {
        done(fault.error());
      };
      if (fault.losesTransaction) return Reflect.apply(query, this, [{ sql: 'ROLLBACK' }, [], fail]);
      fail();
      return undefined;
    };
  prototype.query = guarded(query);
  prototype.execute = guarded(execute);
  return extend(plan, () => {
    Object.assign(prototype, { query, execute });
  });
}

function prototypeWithQuery(connection: Connection): Connection {
  let prototype = Object.getPrototypeOf(connection) as Connection;
  while (!Object.hasOwn(prototype, 'query')) prototype = Object.getPrototypeOf(prototype) as Connection;
  return prototype;
}

const extend = (plan: Plan, undo: () => void): Saboteur => ({
  count: () => plan.count(),
  failAt: (at, fault) => {
    plan.failAt(at, fault);
  },
  get happened() {
    return plan.happened;
  },
  undo,
});
