import type { Database, Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, text } from '../db/table.ts';
import {
  deliveries,
  keyOf,
  OPEN,
  type ClaimedDelivery,
  type Delivery,
  type DeliveryState,
  type Subscriptions,
} from './delivery.ts';

const events = defineTable('event', { id: text, payload: json<unknown>(), at: instant });

interface DueOptions {
  now: number;
  limit: number;
  subscriptions: Subscriptions;
}

/**
 * Takes deliveries that are due, at most one for each consumer and aggregate, and none whose predecessor is still open.
 * The look is only a look: what decides is the guarded UPDATE, which one process wins.
 */
export async function claimDeliveries(
  db: Database,
  { leaseMs, ...options }: DueOptions & { leaseMs: number },
): Promise<ClaimedDelivery[]> {
  const found = await findDue(db, options);
  if (found.length === 0) return [];
  return db.transaction(async (tx) => {
    const claimed: ClaimedDelivery[] = [];
    for (const delivery of found) {
      const mine = { ...delivery, attempts: delivery.attempts + 1, fence: delivery.fence + 1 };
      if (await takeLease(tx, delivery, { ...mine, dueAt: options.now + leaseMs })) claimed.push(mine);
    }
    return claimed;
  });
}

async function takeLease(
  tx: Tx,
  delivery: Delivery,
  { attempts, fence, dueAt }: Pick<Delivery, 'attempts' | 'fence' | 'dueAt'>,
): Promise<boolean> {
  const taken = await tx
    .knex(deliveries.name)
    .where(keyOf(delivery))
    .where('fence', delivery.fence)
    .whereIn('state', OPEN)
    .update(deliveries.encode({ state: 'running', attempts, fence, dueAt }));
  return taken === 1;
}

/** Heads of their queues, oldest first; those that a process died over come back when its lease has run out. */
export async function findDue(db: Queryable, options: DueOptions): Promise<ClaimedDelivery[]> {
  const { limit, subscriptions } = options;
  if (subscriptions.size === 0 || limit < 1) return [];
  const abandoned = await findDueIn(db, 'running', options);
  return [...abandoned, ...(await findDueIn(db, 'waiting', options))].slice(0, limit);
}

/** One state at a time: read along its index, the search ends with the first few found, however many wait behind them. */
async function findDueIn(
  db: Queryable,
  state: DeliveryState,
  { now, limit, subscriptions }: DueOptions,
): Promise<ClaimedDelivery[]> {
  const earlier = db
    .knex({ earlier: deliveries.name })
    .select(db.knex.raw('1'))
    .whereRaw(
      'earlier.consumer = d.consumer AND earlier.aggregate = d.aggregate AND earlier.position < d.position',
    )
    .whereIn('earlier.state', OPEN);
  const rows: Record<string, unknown>[] = await db
    .knex({ d: deliveries.name })
    .join({ e: events.name }, 'e.position', 'd.position')
    .where('d.state', state)
    .where('d.due_at', '<=', now)
    .where((wanted) => {
      for (const [consumer, names] of subscriptions) {
        void wanted.orWhere((one) => void one.where('d.consumer', consumer).whereIn('d.event_name', names));
      }
    })
    .whereNotExists(earlier)
    .whereNotExists(db.knex('background_hold').select(db.knex.raw('1')))
    .orderBy('d.position')
    .limit(limit)
    .select('d.*', { id: 'e.id' }, { payload: 'e.payload' }, { at: 'e.at' });
  return rows.map((row) => {
    const { id, payload, at } = events.decode(row);
    return { ...deliveries.decode(row), eventId: id, payload, at };
  });
}

/** False when the lease ran out and somebody else has taken it. */
export async function endDelivery(
  tx: Tx,
  delivery: Delivery,
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
export async function holdsLease(tx: Tx, delivery: Delivery): Promise<boolean> {
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
  { eventId, consumer, at }: { eventId: string; consumer: string; at: number },
): Promise<boolean> {
  const known: object | undefined = await tx
    .knex('event_once')
    .where({ event_id: eventId, consumer })
    .first('at');
  if (known) return false;
  await tx.knex('event_once').insert({ event_id: eventId, consumer, at });
  return true;
}
