import type { Database, Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, nullable, oneOf, text, whole } from '../db/table.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import { COUNT_LIMIT, offsetOf } from '../shared/page.ts';

/** Waiting (again, after a failure), running under a lease, and three ways to end. */
export const deliveryStates = ['waiting', 'running', 'done', 'dead', 'skipped'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

const OPEN: DeliveryState[] = ['waiting', 'running'];

const deliveries = defineTable('event_delivery', {
  position: whole,
  consumer: text,
  eventName: text,
  aggregate: text,
  state: oneOf(...deliveryStates),
  attempts: whole,
  fence: whole,
  dueAt: instant,
  writtenAt: instant,
  lastError: nullable(text),
});
const events = defineTable('event', { id: text, payload: json<unknown>(), at: instant });

export type DeliveryRow = ReturnType<typeof deliveries.decode>;
export interface ClaimedDelivery extends DeliveryRow {
  eventId: string;
  at: number;
  payload: unknown;
}

interface ClaimOptions {
  now: number;
  leaseMs: number;
  limit: number;
  /** Event names by consumer. */
  subscriptions: ReadonlyMap<string, readonly string[]>;
}

/**
 * Takes deliveries that are due, at most one for each consumer and aggregate, and none whose predecessor is still open.
 * The look is only a look: what decides is the guarded UPDATE, which one process wins.
 */
export async function claimDeliveries(db: Database, options: ClaimOptions): Promise<ClaimedDelivery[]> {
  const found = await findDue(db, options);
  if (found.length === 0) return [];
  return db.transaction(async (tx) => {
    const claimed: ClaimedDelivery[] = [];
    for (const delivery of found) {
      const mine = { ...delivery, attempts: delivery.attempts + 1, fence: delivery.fence + 1 };
      const took = await tx
        .knex(deliveries.name)
        .where(keyOf(delivery))
        .where('fence', delivery.fence)
        .whereIn('state', OPEN)
        .update({
          state: 'running',
          attempts: mine.attempts,
          fence: mine.fence,
          due_at: options.now + options.leaseMs,
        });
      if (took === 1) claimed.push(mine);
    }
    return claimed;
  });
}

type DueOptions = Omit<ClaimOptions, 'leaseMs'>;

async function findDue(
  db: Queryable,
  { now, limit, subscriptions }: DueOptions,
): Promise<ClaimedDelivery[]> {
  if (subscriptions.size === 0 || limit < 1) return [];
  const rows = (await db
    .knex({ d: deliveries.name })
    .join({ e: events.name }, 'e.position', 'd.position')
    .whereIn('d.state', OPEN)
    .where('d.due_at', '<=', now)
    .where((wanted) => {
      for (const [consumer, names] of subscriptions) {
        void wanted.orWhere((one) => one.where('d.consumer', consumer).whereIn('d.event_name', [...names]));
      }
    })
    .whereNotExists(
      db
        .knex({ earlier: deliveries.name })
        .select(db.knex.raw('1'))
        .whereRaw(
          'earlier.consumer = d.consumer AND earlier.aggregate = d.aggregate AND earlier.position < d.position',
        )
        .whereIn('earlier.state', OPEN),
    )
    .whereNotExists(db.knex('background_hold').select(db.knex.raw('1')))
    .orderBy('d.position')
    .limit(limit)
    .select('d.*', { id: 'e.id' }, { payload: 'e.payload' }, { at: 'e.at' })) as Record<string, unknown>[];
  return rows.map((row) => {
    const { id, payload, at } = events.decode(row);
    return { ...deliveries.decode(row), eventId: id, payload, at };
  });
}

/** False when the lease ran out and somebody else has taken it. */
export async function endDelivery(
  tx: Tx,
  delivery: DeliveryRow,
  outcome: { state: DeliveryState; dueAt: number; lastError: string | null },
): Promise<boolean> {
  const ended = await tx
    .knex(deliveries.name)
    .where(keyOf(delivery))
    .where({ fence: delivery.fence, state: 'running' })
    .update(deliveries.encode(outcome));
  return ended === 1;
}

/** Whether this lease is still ours; locks the row until `tx` ends, so that nobody takes it meanwhile. */
export async function holdsLease(tx: Tx, delivery: DeliveryRow): Promise<boolean> {
  const held = await tx
    .knex(deliveries.name)
    .where(keyOf(delivery))
    .where({ fence: delivery.fence, state: 'running' })
    .update({ attempts: delivery.attempts });
  return held === 1;
}

/** True the first time; a repeat finds the mark of the first. */
export async function markOnce(
  tx: Tx,
  mark: { eventId: string; consumer: string; at: number },
): Promise<boolean> {
  const known = (await tx
    .knex('event_once')
    .where({ event_id: mark.eventId, consumer: mark.consumer })
    .first('at')) as object | undefined;
  if (known) return false;
  await tx.knex('event_once').insert({ event_id: mark.eventId, consumer: mark.consumer, at: mark.at });
  return true;
}

/** Leaves out what a consumer would still have heard: for a plugin that is disabled for good. */
export const skipDeliveries = (tx: Tx, consumer: string): Promise<number> =>
  tx.knex(deliveries.name).where({ consumer }).whereIn('state', OPEN).update({ state: 'skipped' });

/** Events that a running consumer has not listened to for a while (an older version of it did). */
export async function skipUnheard(
  tx: Tx,
  { subscriptions, before }: { subscriptions: ReadonlyMap<string, readonly string[]>; before: number },
): Promise<number> {
  let skipped = 0;
  for (const [consumer, names] of subscriptions) {
    skipped += await tx
      .knex(deliveries.name)
      .where({ consumer, state: 'waiting' })
      .whereNotIn('event_name', [...names])
      .where('written_at', '<', before)
      .update({ state: 'skipped' });
  }
  return skipped;
}

/** Gives a dead delivery its attempts back. */
export const reviveDelivery = (
  tx: Tx,
  { position, consumer, now }: { position: number; consumer: string; now: number },
): Promise<number> =>
  tx
    .knex(deliveries.name)
    .where({ position, consumer, state: 'dead' })
    .update({ state: 'waiting', attempts: 0, due_at: now });

export interface QueueStats {
  /** All that is still to be told, to whomever. */
  waiting: number;
  dead: number;
  /** Since when the oldest that could be told here has been due; null when nothing is. */
  oldestAt: number | null;
}

interface StatsOptions {
  now: number;
  subscriptions: ReadonlyMap<string, readonly string[]>;
}

export async function deliveryStats(db: Queryable, options: StatsOptions): Promise<QueueStats> {
  const rows = (await db
    .knex(deliveries.name)
    .whereIn('state', [...OPEN, 'dead'])
    .groupBy('state')
    .select('state', db.knex.raw('COUNT(*) AS found'))) as { state: DeliveryState; found: number }[];
  const count = (states: DeliveryState[]): number =>
    rows.filter(({ state }) => states.includes(state)).reduce((sum, { found }) => sum + Number(found), 0);
  const [oldest] = await findDue(db, { ...options, limit: 1 });
  return { waiting: count(OPEN), dead: count(['dead']), oldestAt: oldest?.dueAt ?? null };
}

/** What needs a person: dead first letters, and what waits after a failure. */
export async function listTroubled(db: Queryable, page: PageRequest): Promise<Page<DeliveryRow>> {
  const troubled = (): ReturnType<typeof db.knex> =>
    db
      .knex(deliveries.name)
      .where((one) =>
        one
          .where({ state: 'dead' })
          .orWhere((again) => again.whereIn('state', OPEN).where('attempts', '>', 0)),
      );
  const rows = (await troubled()
    .orderBy('position', 'desc')
    .limit(page.perPage)
    .offset(offsetOf(page))) as Record<string, unknown>[];
  const counted = (await db.knex
    .from(
      troubled()
        .select('position')
        .limit(COUNT_LIMIT + 1)
        .as('some'),
    )
    .first(db.knex.raw('COUNT(*) AS total'))) as { total: number };
  return { items: rows.map(deliveries.decode), ...page, total: Number(counted.total) };
}

/** Old ends, and events that nobody waits for any more. Some at a time, so that no lock is held for long. */
export async function sweepDeliveries(
  tx: Tx,
  { before, deadBefore }: { before: number; deadBefore: number },
): Promise<number> {
  const BATCH = 1_000;
  const old = (await tx
    .knex(deliveries.name)
    .where((one) => one.whereIn('state', ['done', 'skipped']).where('written_at', '<', before))
    .orWhere((one) => one.where('state', 'dead').where('written_at', '<', deadBefore))
    .limit(BATCH)
    .select('position', 'consumer')) as { position: number; consumer: string }[];
  for (const { position, consumer } of old)
    await tx.knex(deliveries.name).where({ position, consumer }).delete();
  const unwanted = (await tx
    .knex({ e: events.name })
    .where('e.at', '<', before)
    .whereNotExists(
      tx.knex({ d: deliveries.name }).select(tx.knex.raw('1')).whereRaw('d.position = e.position'),
    )
    .limit(BATCH)
    .select('e.position')) as { position: number }[];
  await tx
    .knex(events.name)
    .whereIn(
      'position',
      unwanted.map(({ position }) => position),
    )
    .delete();
  await tx.knex('event_once').where('at', '<', Math.min(before, deadBefore)).delete();
  return old.length + unwanted.length;
}

const keyOf = ({ position, consumer }: DeliveryRow): { position: number; consumer: string } => ({
  position,
  consumer,
});
