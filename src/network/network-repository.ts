import type { Queryable, Tx } from '../db/database.ts';
import { bytes, cached, defineTable, instant, nullable, text, whole } from '../db/table.ts';
import type { Codec } from '../db/table.ts';
import type { HubAnswer } from './hub-answer.ts';
import type { HubProblem } from './hub-problem.ts';
import type { CheckRecord } from './registration.ts';

/** There is one of each. */
const PLACE = 1;

const instances = defineTable('network_instance', { place: whole, uid: text, madeAt: instant });
const keys = defineTable('network_key', {
  place: whole,
  hub: text,
  mark: text,
  boxText: bytes,
  boxNonce: bytes,
  boxKey: whole,
  savedAt: instant,
});
const checks = defineTable('network_check', {
  about: bytes,
  nextAt: instant,
  checkedAt: nullable(instant),
  failures: whole,
  failingSince: nullable(instant),
  problem: nullable(text as Codec<HubProblem>),
  answer: cached<HubAnswer>(),
  answeredAt: nullable(instant),
});

type Row = Record<string, unknown>;
export type StoredKey = Omit<ReturnType<typeof keys.decode>, 'place'>;

export async function findUid(db: Queryable): Promise<string | null> {
  const row = (await db.knex(instances.name).where({ place: PLACE }).first()) as Row | undefined;
  return row ? instances.decode(row).uid : null;
}

/** Whoever comes first makes it; all nodes then have the same. */
export async function insertUid(tx: Tx, uid: string, now: number): Promise<void> {
  await tx
    .knex(instances.name)
    .insert(instances.encode({ place: PLACE, uid, madeAt: now }))
    .onConflict('place')
    .ignore();
}

export async function replaceUid(tx: Tx, uid: string, now: number): Promise<void> {
  await tx
    .knex(instances.name)
    .insert(instances.encode({ place: PLACE, uid, madeAt: now }))
    .onConflict('place')
    .merge();
}

export async function findKey(db: Queryable): Promise<StoredKey | null> {
  const row = (await db.knex(keys.name).where({ place: PLACE }).first()) as Row | undefined;
  return row ? keys.decode(row) : null;
}

export async function putKey(tx: Tx, key: StoredKey): Promise<void> {
  await tx
    .knex(keys.name)
    .insert(keys.encode({ ...key, place: PLACE }))
    .onConflict('place')
    .merge();
}

export async function deleteKey(tx: Tx): Promise<boolean> {
  return (await tx.knex(keys.name).where({ place: PLACE }).delete()) > 0;
}

export async function findCheck(db: Queryable, about: Buffer): Promise<CheckRecord | null> {
  const row = (await db.knex(checks.name).where({ about }).first()) as Row | undefined;
  return row ? checks.decode(row) : null;
}

/** Due at once; says nothing yet. */
export async function insertCheck(tx: Tx, about: Buffer, now: number): Promise<void> {
  await tx
    .knex(checks.name)
    .insert(checks.encode({ about, nextAt: now, failures: 0 }))
    .onConflict('about')
    .ignore();
}

/** What is known of keys and hubs that are not ours any more. */
export async function deleteOtherChecks(tx: Tx, about: Buffer | null): Promise<void> {
  const all = tx.knex(checks.name);
  await (about ? all.whereNot({ about }) : all).delete();
}

export async function hurryCheck(
  tx: Tx,
  about: Buffer,
  { now, notSince }: { now: number; notSince: number },
): Promise<void> {
  await tx
    .knex(checks.name)
    .where({ about })
    .where((of) => void of.whereNull('checked_at').orWhere('checked_at', '<', notSince))
    .update(checks.encode({ nextAt: now }));
}

/** One process of the cluster asks. */
export async function claimCheck(
  tx: Tx,
  about: Buffer,
  { now, until }: { now: number; until: number },
): Promise<boolean> {
  const claimed = await tx
    .knex(checks.name)
    .where({ about })
    .where('next_at', '<=', now)
    .update(checks.encode({ nextAt: until }));
  return claimed === 1;
}

export async function noteCheck(tx: Tx, about: Buffer, seen: Partial<CheckRecord>): Promise<void> {
  await tx.knex(checks.name).where({ about }).update(checks.encode(seen));
}
