import type { Queryable, Tx } from '../../db/database.ts';
import { bytes, defineTable, instant, nullable, text, whole } from '../../db/table.ts';
import type { Codec } from '../../db/table.ts';
import type { EntitlementProblem } from './entitlement-document.ts';

const entitlements = defineTable('network_entitlement', {
  about: bytes,
  hub: text,
  document: text,
  seq: whole,
  storedAt: instant,
  revokedSince: nullable(instant),
  problem: nullable(text as Codec<EntitlementProblem>),
});
const checkIns = defineTable('network_check_in', {
  place: whole,
  counter: whole,
  nextAt: instant,
  nonce: nullable(text),
});
const PLACE = 1;

type Row = Record<string, unknown>;

/** What one check-in is told from all others by. */
export interface CheckInMarks {
  nonce: string;
  counter: number;
}

export type StoredEntitlement = ReturnType<typeof entitlements.decode>;

export async function findEntitlement(db: Queryable, about: Buffer): Promise<StoredEntitlement | null> {
  const row = (await db.knex(entitlements.name).where({ about }).first()) as Row | undefined;
  return row ? entitlements.decode(row) : null;
}

/** The last good one stays in force until a newer one takes its place. */
export async function storeEntitlement(tx: Tx, found: StoredEntitlement): Promise<void> {
  const row = entitlements.encode(found);
  await tx.knex(entitlements.name).insert(row).onConflict('about').ignore();
  await tx.knex(entitlements.name).where({ about: found.about }).where('seq', '<=', found.seq).update(row);
  await tx.knex(entitlements.name).whereNot({ about: found.about }).delete();
}

export async function noteProblem(tx: Tx, about: Buffer, problem: EntitlementProblem | null): Promise<void> {
  await tx.knex(entitlements.name).where({ about }).update(entitlements.encode({ problem }));
}

/** The marks of the check-in that comes next. */
export async function findAnnounced(db: Queryable): Promise<CheckInMarks | null> {
  const row = (await db.knex(checkIns.name).where({ place: PLACE }).first()) as Row | undefined;
  const { nonce = null, counter = 0 } = row ? checkIns.decode(row) : {};
  return nonce === null ? null : { nonce, counter: counter + 1 };
}

/** Whoever comes first says what the next one will be marked with; all nodes then have the same. */
export async function announce(tx: Tx, nonce: string): Promise<void> {
  const first = checkIns.encode({ place: PLACE, counter: 0, nextAt: 0, nonce });
  await tx.knex(checkIns.name).insert(first).onConflict('place').ignore();
  await tx.knex(checkIns.name).where({ place: PLACE }).whereNull('nonce').update({ nonce });
}

/** The marks of this check-in, as announced, or null when another process is at it or it is too early. `fresh` serves where none was announced. */
export async function claimCheckIn(
  tx: Tx,
  { now, until, fresh }: { now: number; until: number; fresh: string },
): Promise<CheckInMarks | null> {
  await announce(tx, fresh);
  const claimed = await tx
    .knex(checkIns.name)
    .where({ place: PLACE })
    .where('next_at', '<=', now)
    .update({ next_at: until })
    .increment('counter', 1);
  if (claimed !== 1) return null;
  const row = (await tx.knex(checkIns.name).where({ place: PLACE }).first()) as Row | undefined;
  if (!row) return null;
  const { nonce, counter } = checkIns.decode(row);
  await tx.knex(checkIns.name).where({ place: PLACE }).update({ nonce: null });
  return { nonce: nonce ?? fresh, counter };
}

export async function nextCheckIn(tx: Tx, nextAt: number): Promise<void> {
  await tx.knex(checkIns.name).where({ place: PLACE }).update({ next_at: nextAt });
}
