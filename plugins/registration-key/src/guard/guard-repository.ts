import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import type { TripReason } from './breaker-rules.ts';

const { instant, json, nullable, oneOf, text } = column;

/** What the breaker remembers of a key. */
export interface GuardState {
  keyId: string;
  /** Until then nothing is unusual. */
  raisedUntil: number | null;
  trippedAt: number | null;
  trippedBy: TripReason | 'reported' | null;
  trippedFacts: Record<string, number> | null;
}

const guards = defineTable('invite_guard', {
  keyId: text,
  raisedUntil: nullable(instant),
  trippedAt: nullable(instant),
  trippedBy: nullable(oneOf('speed', 'spread', 'rejected', 'reported')),
  trippedFacts: nullable(json<Record<string, number>>()),
});

type Row = Record<string, unknown>;

export async function findGuard(db: Queryable, keyId: string): Promise<GuardState | null> {
  const row = (await db.knex(guards.name).where({ key_id: keyId }).first()) as Row | undefined;
  return row ? guards.decode(row) : null;
}

export async function saveGuard(
  tx: Tx,
  keyId: string,
  state: Partial<Omit<GuardState, 'keyId'>>,
): Promise<void> {
  const changed = await tx.knex(guards.name).where({ key_id: keyId }).update(guards.encode(state));
  if (changed > 0) return;
  const blank = { raisedUntil: null, trippedAt: null, trippedBy: null, trippedFacts: null };
  await tx
    .knex(guards.name)
    .insert(guards.encode({ ...blank, ...state, keyId }))
    .onConflict('key_id')
    .merge(guards.encode(state));
}

/** Keys by which many seats were taken since `since`. */
export async function busyKeys(db: Queryable, since: number, atLeast: number): Promise<string[]> {
  const rows = await db
    .knex('invite_redemption')
    .where('at', '>=', since)
    .groupBy('key_id')
    .havingRaw('count(*) >= ?', [atLeast])
    .select<Row[]>('key_id');
  return rows.map((row) => String(row['key_id']));
}

/** How many seats each network took of this key in that time. */
export async function seatsByNetwork(
  db: Queryable,
  keyId: string,
  { since, until }: { since: number; until: number },
): Promise<Map<string, number>> {
  const rows = await db
    .knex('invite_redemption')
    .where({ key_id: keyId })
    .where('at', '>=', since)
    .where('at', '<', until)
    .groupBy('network')
    .select<Row[]>('network', db.knex.raw('count(*) as count'));
  return new Map(rows.map((row) => [String(row['network']), Number(row['count'])]));
}
