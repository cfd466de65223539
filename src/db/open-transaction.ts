import { createRequire } from 'node:module';
import type { Knex } from 'knex';
import type { Answer, Dialect, Row } from './dialect.ts';
import { insertStatement, type Insert } from './written-out.ts';

export type Task = () => void | Promise<void>;

/** What knex calls its client, as far as we lean on it: it lends connections and runs what its builders have made. */
export interface Client {
  acquireConnection(): Promise<Connection>;
  releaseConnection(connection: Connection): Promise<void>;
  query(connection: Connection, query: unknown): Promise<unknown>;
}

/** Of one engine or the other; whoever has one asks the dialect. */
export interface Connection {
  /** Read by knex's pool: a connection that has a reason here is never lent again. */
  __knex__disposed?: unknown;
}

// knex makes its own transactions with it; unexported and untyped.
const makeKnex = createRequire(import.meta.url)('knex/lib/knex-builder/make-knex.js') as (
  client: Client,
) => Knex;

/** What lends the connections; nothing once the database is closed. */
export const poolOf = ({ client }: Knex): { numPendingAcquires(): number } | undefined =>
  (client as { pool?: { numPendingAcquires(): number } }).pool;

export const clientOf = ({ client }: Knex): Client => client as Client;

/**
 * A transaction while it is open. Statements that are written out go straight to the connection; knex, which costs as much as five
 * of those, comes into being when somebody asks for it. Whoever comes when it is over is refused, and so cannot write into the next one.
 */
export class OpenTransaction {
  readonly dialect: Dialect;
  readonly #client: Client;
  readonly #connection: Connection;
  readonly #effects: Task[] = [];
  readonly #last: Task[] = [];
  #gathered: Map<string, Insert> | null = null;
  #knex: Knex | null = null;
  #isOver = false;

  constructor({ client, connection, dialect }: { client: Client; connection: Connection; dialect: Dialect }) {
    this.#client = client;
    this.#connection = connection;
    this.dialect = dialect;
  }

  get knex(): Knex {
    this.#knex ??= makeKnex(this.#boundClient());
    return this.#knex;
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#say(sql, values)).rows;
  }

  async write(sql: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#say(sql, values)).changed;
  }

  async raise(
    counter: { column: string; by: number },
    sql: (assignment: string) => string,
    values: readonly unknown[],
  ): Promise<number | null> {
    const { assignment, ending } = this.dialect.raised(counter);
    return (await this.#say(`${sql(assignment)}${ending}`, values)).raisedTo;
  }

  async insert(insert: Insert): Promise<void> {
    this.#assertOpen();
    if (this.#gathered) keepWithOthers(this.#gathered, insert);
    else await this.#say(...insertStatement(this.dialect, insert));
  }

  gather(): void {
    this.#gathered ??= new Map();
  }

  onCommit(task: Task): void {
    this.#effects.push(task);
  }

  atTheEnd(task: Task): void {
    this.#last.push(task);
  }

  /** Runs what waits for the end and closes. Answers what waits for the commit. */
  async finish(): Promise<readonly Task[]> {
    for (const task of this.#last) await task();
    await this.#writeGathered();
    this.close();
    return this.#effects;
  }

  close(): void {
    this.#isOver = true;
  }

  async #say(sql: string, values: readonly unknown[]): Promise<Answer> {
    this.#assertOpen();
    await this.#writeGathered();
    return this.dialect.run(this.#connection, sql, values);
  }

  /** In the order in which the tables were first written to: what a row refers to was there before it. */
  async #writeGathered(): Promise<void> {
    if (!this.#gathered) return;
    const inserts = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const insert of inserts)
      await this.dialect.run(this.#connection, ...insertStatement(this.dialect, insert));
  }

  #assertOpen(): void {
    if (this.#isOver) throw new Error('The transaction is over');
  }

  /** It has this one connection, and keeps it. */
  #boundClient(): Client {
    const prototype = Object.getPrototypeOf(this.#client) as Client;
    const own: Client & Record<string, unknown> = {
      transacting: true,
      _events: undefined,
      acquireConnection: () => Promise.resolve(this.#connection),
      releaseConnection: () => Promise.resolve(),
      query: async (connection, query) => {
        this.#assertOpen();
        await this.#writeGathered();
        return prototype.query.call(bound, connection, query);
      },
    };
    const bound = Object.assign(Object.create(prototype) as Client, this.#client, own);
    return bound;
  }
}

function keepWithOthers(gathered: Map<string, Insert>, insert: Insert): void {
  const key = `${insert.table} ${Object.keys(insert.rows[0] ?? {}).join()} ${insert.unless.join()}`;
  const others = gathered.get(key)?.rows ?? [];
  gathered.set(key, { ...insert, rows: [...others, ...insert.rows] });
}
