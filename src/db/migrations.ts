import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../shared/errors.ts';
import type { Database } from './database.ts';
import { MigrationError } from './migration-error.ts';
import { isPassingTrouble } from './passing-trouble.ts';

/**
 * One change of the schema: a list of single statements, since MariaDB commits at each of them and a crash may come between any two.
 * A statement that has run already must be harmless to repeat; "already there" is taken for done.
 */
export interface Migration {
  /** `0003-tickets`: the number orders, the name never changes once released. */
  name: string;
  /** Statements with `{id} {instant} {digest} {bytes} {text} {flag} {number}` for types. */
  up: readonly Step[];
  down: readonly Step[];
  /** Of a plugin: `contract` takes away what only the version before needed, and waits until nobody goes back to that one. */
  phase?: 'expand' | 'contract';
}

/** A statement for both engines, one per engine, or a full-text index on a table with `number` and `search_text`. */
export type Step = string | { sqlite: string; mysql: string } | { searchIndexOn: string };

/** Core's owner name; a plugin's migrations carry its id. */
export const CORE = 'core';

const LEASE_MS = 30_000;
const WAIT_FOR_LEASE_MS = 60_000;

const bookkeeping = [
  `CREATE TABLE IF NOT EXISTS schema_lease (
     name VARCHAR(40) NOT NULL PRIMARY KEY, holder VARCHAR(36) NOT NULL, fence {number} NOT NULL, until {instant} NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS schema_step (
     owner VARCHAR(64) NOT NULL, migration VARCHAR(120) NOT NULL, step INTEGER NOT NULL,
     state VARCHAR(8) NOT NULL, at {instant} NOT NULL, PRIMARY KEY (owner, migration, step))`,
];

/** Brings the schema of `owner` up to date. Safe to call from several processes at once: one works, the others wait. */
export async function migrate(
  db: Database,
  owner: string,
  migrations: readonly Migration[],
): Promise<string[]> {
  for (const statement of bookkeeping) await db.execute(db.dialect.ddl(statement));
  if ((await pendingMigrations(db, owner, migrations)).length === 0) return [];
  return withLease(db, async (renew) => {
    const applied: string[] = [];
    for (const migration of await pendingMigrations(db, owner, migrations)) {
      await run(db, owner, migration, renew);
      applied.push(migration.name);
    }
    return applied;
  });
}

/** Undoes all that `owner` has done, newest first: for `latchkey plugin purge`. */
export async function migrateDown(
  db: Database,
  owner: string,
  migrations: readonly Migration[],
): Promise<void> {
  await withLease(db, async (renew) => {
    for (const migration of [...migrations].reverse()) {
      for (const step of migration.down) {
        await renew();
        for (const statement of statementsOf(db, step)) await db.execute(statement);
      }
      await db.transaction((tx) =>
        tx.knex('schema_step').where({ owner, migration: migration.name }).delete(),
      );
    }
  });
}

export async function pendingMigrations(
  db: Database,
  owner: string,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const done = await doneSteps(db, owner);
  return migrations.filter(({ name, up }) => up.some((_, step) => !done.has(`${name}#${String(step)}`)));
}

async function run(
  db: Database,
  owner: string,
  { name, up }: Migration,
  renew: () => Promise<void>,
): Promise<void> {
  const done = await doneSteps(db, owner);
  for (const [at, step] of up.entries()) {
    if (done.has(`${name}#${String(at)}`)) continue;
    await renew();
    await record(db, { owner, migration: name, step: at }, 'started');
    const place = { migration: name, step: at + 1, steps: up.length, statement: asWritten(db, step) };
    for (const statement of statementsOf(db, step)) {
      await executeRepeatably(db, statement).catch((error: unknown) => {
        throw isPassingTrouble(error) ? error : new MigrationError(place, error);
      });
    }
    await record(db, { owner, migration: name, step: at }, 'done');
  }
}

function statementsOf({ dialect }: Database, step: Step): string[] {
  if (typeof step === 'string') return [dialect.ddl(step)];
  if ('searchIndexOn' in step) return dialect.search.createIndex(step.searchIndexOn);
  return [dialect.ddl(step[dialect.name])];
}

/** For people: before the engine's own words are put in. */
function asWritten({ dialect }: Database, step: Step): string {
  if (typeof step === 'string') return step;
  return 'searchIndexOn' in step ? `search index on ${step.searchIndexOn}` : step[dialect.name];
}

async function executeRepeatably(db: Database, statement: string): Promise<void> {
  try {
    await db.execute(statement);
  } catch (error) {
    if (!db.dialect.isAlreadyThere(error)) throw error;
  }
}

async function doneSteps(db: Database, owner: string): Promise<Set<string>> {
  const rows = (await db.knex('schema_step').where({ owner, state: 'done' })) as {
    migration: string;
    step: number;
  }[];
  return new Set(rows.map(({ migration, step }) => `${migration}#${String(step)}`));
}

interface StepKey {
  owner: string;
  migration: string;
  step: number;
}

const record = (db: Database, key: StepKey, state: 'started' | 'done'): Promise<unknown> =>
  db.transaction((tx) =>
    tx
      .knex('schema_step')
      .insert({ ...key, state, at: Date.now() })
      .onConflict(['owner', 'migration', 'step'])
      .merge(),
  );

/** knex's own lock survives kill -9; a lease runs out by itself, and its fence tells a late worker that it lost it. */
async function withLease<T>(db: Database, work: (renew: () => Promise<void>) => Promise<T>): Promise<T> {
  const holder = randomUUID();
  const fence = await takeLease(db, holder);
  const renew = async (): Promise<void> => {
    const kept = await db.transaction((tx) =>
      tx
        .knex('schema_lease')
        .where({ name: 'migrate', holder, fence })
        .update({ until: Date.now() + LEASE_MS }),
    );
    if (kept !== 1) throw new UnavailableError('migrations.lease-lost');
  };
  try {
    return await work(renew);
  } finally {
    await db.transaction((tx) =>
      tx.knex('schema_lease').where({ name: 'migrate', holder, fence }).update({ until: 0 }),
    );
  }
}

async function takeLease(db: Database, holder: string): Promise<number> {
  const deadline = Date.now() + WAIT_FOR_LEASE_MS;
  await db.transaction((tx) =>
    tx
      .knex('schema_lease')
      .insert({ name: 'migrate', holder: '', fence: 0, until: 0 })
      .onConflict('name')
      .ignore(),
  );
  while (Date.now() < deadline) {
    const fence = await tryLease(db, holder);
    if (fence !== null) return fence;
    await sleep(200);
  }
  throw new UnavailableError('migrations.lease-taken');
}

const tryLease = (db: Database, holder: string): Promise<number | null> =>
  db.transaction(async (tx) => {
    const now = Date.now();
    const taken = await tx
      .knex('schema_lease')
      .where('name', 'migrate')
      .where('until', '<', now)
      .update({ holder, until: now + LEASE_MS, fence: tx.knex.raw('fence + 1') });
    if (taken !== 1) return null;
    const row = await tx.knex('schema_lease').where({ name: 'migrate' }).first<{ fence: number }>('fence');
    return row.fence;
  });
