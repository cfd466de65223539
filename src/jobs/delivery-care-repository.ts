import type { Queryable, Tx } from '../db/database.ts';
import { readPage } from '../db/pages.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import { deliveries, OPEN, type Delivery, type DeliveryState, type Subscriptions } from './delivery.ts';
import { findDue } from './delivery-repository.ts';

export interface QueueStats {
  /** All that is still to be told, to whomever. */
  waiting: number;
  dead: number;
  /** Since when the oldest that could be told here has been due; null when nothing is. */
  oldestAt: number | null;
}

export async function deliveryStats(
  db: Queryable,
  options: { now: number; subscriptions: Subscriptions },
): Promise<QueueStats> {
  const rows: { state: DeliveryState; found: unknown }[] = await db
    .knex(deliveries.name)
    .whereIn('state', [...OPEN, 'dead'])
    .groupBy('state')
    .select('state', db.knex.raw('COUNT(*) AS found'));
  const count = (states: readonly DeliveryState[]): number =>
    rows.filter(({ state }) => states.includes(state)).reduce((sum, { found }) => sum + Number(found), 0);
  const [oldest] = await findDue(db, { ...options, limit: 1 });
  return { waiting: count(OPEN), dead: count(['dead']), oldestAt: oldest?.dueAt ?? null };
}

/** What needs a person: what was given up, and what waits after a failure. */
export async function listTroubled(db: Queryable, page: PageRequest): Promise<Page<Delivery>> {
  const troubled = db.knex(deliveries.name).where((one) => {
    void one.where({ state: 'dead' }).orWhere((again) => {
      void again.whereIn('state', OPEN).where('attempts', '>', 0);
    });
  });
  return readPage(db, troubled, { table: deliveries, order: [{ column: 'position', order: 'desc' }] }, page);
}

/** Makes what was given up, or waits after a failure, due now; what was given up has all its attempts again. */
export const reviveDelivery = (
  tx: Tx,
  { position, consumer, now }: { position: number; consumer: string; now: number },
): Promise<number> =>
  tx
    .knex(deliveries.name)
    .where({ position, consumer })
    .where('attempts', '>', 0)
    .whereIn('state', ['waiting', 'dead'])
    .update(deliveries.encode({ state: 'waiting', attempts: 0, dueAt: now }));

/** Everything that was given up, of one consumer or of all, has all its attempts again. */
export const reviveDead = (
  tx: Tx,
  { consumer, now }: { consumer: string | null; now: number },
): Promise<number> =>
  tx
    .knex(deliveries.name)
    .where({ state: 'dead', ...(consumer === null ? {} : { consumer }) })
    .update(deliveries.encode({ state: 'waiting', attempts: 0, dueAt: now }));

/** Leaves out what a consumer would still have heard: for a plugin that is disabled for good. */
export const skipDeliveries = (tx: Tx, consumer: string): Promise<number> =>
  tx.knex(deliveries.name).where({ consumer }).whereIn('state', OPEN).update({ state: 'skipped' });

/** What a running consumer has not listened to for a while, though an older version of it did. */
export async function skipUnheard(
  tx: Tx,
  { subscriptions, before }: { subscriptions: Subscriptions; before: number },
): Promise<number> {
  let skipped = 0;
  for (const [consumer, names] of subscriptions) {
    skipped += await tx
      .knex(deliveries.name)
      .where({ consumer, state: 'waiting' })
      .whereNotIn('event_name', names)
      .where('written_at', '<', before)
      .update({ state: 'skipped' });
  }
  return skipped;
}

/** What waits for somebody who is gone for good: a plugin that was disabled a while ago. */
export const skipOrphans = (
  tx: Tx,
  { consumers, before }: { consumers: readonly string[]; before: number },
): Promise<number> =>
  tx
    .knex(deliveries.name)
    .where({ state: 'waiting' })
    .whereNotIn('consumer', consumers)
    .where('written_at', '<', before)
    .update({ state: 'skipped' });

const BATCH = 1_000;

interface Ages {
  before: number;
  deadBefore: number;
}

/** Takes old ends away, and events that nobody waits for any more; some at a time, so that no lock is held for long. */
export async function sweepDeliveries(tx: Tx, { before, deadBefore }: Ages): Promise<number> {
  const ended: { position: number; consumer: string }[] = await tx
    .knex(deliveries.name)
    .where((one) => void one.whereIn('state', ['done', 'skipped']).where('written_at', '<', before))
    .orWhere((one) => void one.where('state', 'dead').where('written_at', '<', deadBefore))
    .limit(BATCH)
    .select('position', 'consumer');
  for (const key of ended) await tx.knex(deliveries.name).where(key).delete();
  return ended.length + (await sweepEvents(tx, before));
}

async function sweepEvents(tx: Tx, before: number): Promise<number> {
  const wanted = tx.knex({ d: deliveries.name }).select(tx.knex.raw('1')).whereRaw('d.position = e.position');
  const unwanted: { position: number; id: string }[] = await tx
    .knex({ e: 'event' })
    .where('e.at', '<', before)
    .whereNotExists(wanted)
    .limit(BATCH)
    .select('e.position', 'e.id');
  const ids = unwanted.map(({ id }) => id);
  await tx.knex('event_once').whereIn('event_id', ids).delete();
  await tx.knex('event').whereIn('id', ids).delete();
  return unwanted.length;
}
