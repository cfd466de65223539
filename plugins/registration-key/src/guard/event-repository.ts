import { column, defineTable, newId, type Queryable, type Tx } from 'latchkey/plugin-api';

const { instant, json, nullable, oneOf, text } = column;

/** What only these rows tell; all else that happens to a key stands in the audit log. */
export const eventKinds = ['opened', 'refused'] as const;
export type EventKind = (typeof eventKinds)[number];

export interface KeyEvent {
  id: string;
  keyId: string;
  entityId: string;
  kind: EventKind;
  actorId: string | null;
  at: number;
  node: string;
  /** Truncated, and emptied when its time is over. */
  network: string;
  detail: Record<string, unknown> | null;
}

const events = defineTable('invite_event', {
  id: text,
  keyId: text,
  entityId: text,
  kind: oneOf(...eventKinds),
  actorId: nullable(text),
  at: instant,
  node: text,
  network: text,
  detail: nullable(json<Record<string, unknown>>()),
});

type Row = Record<string, unknown>;

export async function insertEvent(tx: Tx, event: Omit<KeyEvent, 'id'>): Promise<void> {
  await tx.knex(events.name).insert(events.encode({ id: newId(), ...event }));
}

export async function listEvents(
  db: Queryable,
  keyId: string,
  { limit, before, kinds }: { limit: number; before?: string | undefined; kinds: readonly EventKind[] },
): Promise<KeyEvent[]> {
  const found = db
    .knex(events.name)
    .where({ key_id: keyId })
    .whereIn('kind', [...kinds])
    .orderBy('id', 'desc')
    .limit(limit);
  if (before !== undefined) void found.where('id', '<', before);
  return ((await found) as Row[]).map(events.decode);
}

export async function hasEvent(db: Queryable, keyId: string, kind: EventKind): Promise<boolean> {
  return (
    (await db.knex(events.name).where({ key_id: keyId, kind }).first<Row | undefined>('id')) !== undefined
  );
}

/** How often each reason turned somebody away since `since`. */
export async function countRefusals(
  db: Queryable,
  keyId: string,
  since: number,
): Promise<Map<string, number>> {
  const rows = (await db
    .knex(events.name)
    .where({ key_id: keyId, kind: 'refused' })
    .where('at', '>=', since)
    .limit(5000)) as Row[];
  const counts = new Map<string, number>();
  for (const { detail } of rows.map(events.decode)) {
    const reason = typeof detail?.['reason'] === 'string' ? detail['reason'] : '';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

/** Keys at which somebody was turned away lately, often enough to be looked at. */
export async function keysWithRefusals(db: Queryable, since: number, atLeast: number): Promise<string[]> {
  const rows = await db
    .knex(events.name)
    .where({ kind: 'refused' })
    .where('at', '>=', since)
    .groupBy('key_id')
    .havingRaw('count(*) >= ?', [atLeast])
    .select<Row[]>('key_id');
  return rows.map((row) => String(row['key_id']));
}

/** Forgets where something came from; that it happened, and how often, stays. Answers how many rows it read. */
export async function eraseNetworks(
  tx: Tx,
  table: 'invite_event' | 'invite_redemption',
  { before, after, limit }: { before: number; after: number; limit: number },
): Promise<{ read: number; upTo: number }> {
  const rows = await tx
    .knex(table)
    .where('at', '>=', after)
    .where('at', '<', before)
    .whereNot({ network: '' })
    .orderBy('at')
    .limit(limit)
    .select<Row[]>('id', 'at');
  if (rows.length > 0) {
    await tx
      .knex(table)
      .whereIn(
        'id',
        rows.map(({ id }) => String(id)),
      )
      .update({ network: '' });
  }
  return { read: rows.length, upTo: Number(rows.at(-1)?.['at'] ?? before) };
}
