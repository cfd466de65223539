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
const checkIns = defineTable('network_check_in', { place: whole, counter: whole, nextAt: instant });
const PLACE = 1;

type Row = Record<string, unknown>;
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

/** The number of this check-in, or null when another process is at it or it is too early. */
export async function claimCheckIn(
  tx: Tx,
  { now, until }: { now: number; until: number },
): Promise<number | null> {
  const first = checkIns.encode({ place: PLACE, counter: 0, nextAt: 0 });
  await tx.knex(checkIns.name).insert(first).onConflict('place').ignore();
  const claimed = await tx
    .knex(checkIns.name)
    .where({ place: PLACE })
    .where('next_at', '<=', now)
    .update({ next_at: until })
    .increment('counter', 1);
  if (claimed !== 1) return null;
  const row = (await tx.knex(checkIns.name).where({ place: PLACE }).first()) as Row | undefined;
  return row ? checkIns.decode(row).counter : null;
}

export async function nextCheckIn(tx: Tx, nextAt: number): Promise<void> {
  await tx.knex(checkIns.name).where({ place: PLACE }).update({ next_at: nextAt });
}
