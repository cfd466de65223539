import {
  column,
  defineTable,
  readPage,
  type Page,
  type PageRequest,
  type Queryable,
  type Sealed,
  type Tx,
} from 'latchkey/plugin-api';
import type { Delivery } from './endpoint.ts';

const { bytes, instant, nullable, oneOf, text, whole } = column;

const deliveries = defineTable('webhook_delivery', {
  id: text,
  endpointId: text,
  eventId: text,
  eventName: text,
  state: oneOf('waiting', 'sending', 'done', 'dead'),
  attempts: whole,
  fence: whole,
  dueAt: instant,
  createdAt: instant,
  triedAt: nullable(instant),
  status: nullable(whole),
  answer: nullable(text),
  problem: nullable(text),
  tookMs: nullable(whole),
});
const contents = defineTable('webhook_delivery', {
  contentText: nullable(bytes),
  contentNonce: nullable(bytes),
  contentKey: nullable(whole),
});

type Row = Record<string, unknown>;

const noContent = contents.encode({ contentText: null, contentNonce: null, contentKey: null });

/** The same event for the same endpoint is one delivery, however often it is told. */
export async function insertDelivery(tx: Tx, delivery: Delivery, content: Sealed): Promise<void> {
  await tx
    .knex(deliveries.name)
    .insert({
      ...deliveries.encode(delivery),
      ...contents.encode({
        contentText: content.ciphertext,
        contentNonce: content.nonce,
        contentKey: content.keyId,
      }),
    })
    .onConflict(['endpoint_id', 'event_id'])
    .ignore();
}

export async function findDelivery(db: Queryable, id: string): Promise<Delivery | null> {
  const row = (await db.knex(deliveries.name).select(deliveries.columns).where({ id }).first()) as
    Row | undefined;
  return row ? deliveries.decode(row) : null;
}

export async function readContent(db: Queryable, id: string): Promise<Sealed | null> {
  const row = (await db.knex(deliveries.name).select(contents.columns).where({ id }).first()) as
    Row | undefined;
  if (!row) return null;
  const { contentText, contentNonce, contentKey } = contents.decode(row);
  if (contentText === null || contentNonce === null || contentKey === null) return null;
  return { ciphertext: contentText, nonce: contentNonce, keyId: contentKey };
}

export async function listDeliveries(
  db: Queryable,
  endpointId: string,
  page: PageRequest,
): Promise<Page<Delivery>> {
  const wanted = db.knex(deliveries.name).where({ endpoint_id: endpointId });
  return readPage(db, wanted, { table: deliveries, order: [{ column: 'id', order: 'desc' }] }, page);
}

/** What is due, and what a process died over. Only a look: what decides is `claim`. */
export async function findDue(
  db: Queryable,
  { now, limit }: { now: number; limit: number },
): Promise<Delivery[]> {
  const found: Delivery[] = [];
  for (const state of ['waiting', 'sending'] as const) {
    const rows = (await db
      .knex(deliveries.name)
      .select(deliveries.columns)
      .where({ state })
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit - found.length)) as Row[];
    found.push(...rows.map(deliveries.decode));
    if (found.length >= limit) break;
  }
  return found;
}

/** Takes it for as long as the lease; one process wins. */
export async function claim(
  tx: Tx,
  { id, fence, attempts }: Delivery,
  { now, leaseMs }: { now: number; leaseMs: number },
): Promise<boolean> {
  const taken = await tx
    .knex(deliveries.name)
    .where({ id, fence })
    .whereIn('state', ['waiting', 'sending'])
    .update(
      deliveries.encode({
        state: 'sending',
        fence: fence + 1,
        attempts: attempts + 1,
        dueAt: now + leaseMs,
        triedAt: now,
      }),
    );
  return taken === 1;
}

/** What came of a try. Nothing when another process has taken over meanwhile. */
export async function settle(
  tx: Tx,
  { id, fence }: Pick<Delivery, 'id' | 'fence'>,
  outcome: Pick<Delivery, 'state' | 'dueAt' | 'status' | 'answer' | 'problem' | 'tookMs'>,
): Promise<boolean> {
  const settled = await tx
    .knex(deliveries.name)
    .where({ id, fence, state: 'sending' })
    .update({ ...deliveries.encode(outcome), ...(outcome.state === 'done' ? noContent : {}) });
  return settled === 1;
}

/** Once more from the beginning, if there is still something to send. */
export async function revive(tx: Tx, id: string, now: number): Promise<boolean> {
  const revived = await tx
    .knex(deliveries.name)
    .where({ id })
    .whereIn('state', ['waiting', 'dead'])
    .whereNotNull('content_text')
    .update(deliveries.encode({ state: 'waiting', attempts: 0, dueAt: now }));
  return revived === 1;
}

/** Nothing goes to an endpoint that is off. */
export const endWaiting = (tx: Tx, endpointId: string): Promise<number> =>
  tx
    .knex(deliveries.name)
    .where({ endpoint_id: endpointId, state: 'waiting' })
    .update(deliveries.encode({ state: 'dead', problem: 'off' }));

const BATCH = 500;

/** Contents nobody fetched, then the lines of the log themselves. */
export async function tidy(tx: Tx, ages: { contentsBefore: number; logBefore: number }): Promise<number> {
  await tx
    .knex(deliveries.name)
    .where({ state: 'dead' })
    .where('created_at', '<', ages.contentsBefore)
    .whereNotNull('content_text')
    .update(noContent);
  const old = await tx
    .knex(deliveries.name)
    .where('created_at', '<', ages.logBefore)
    .whereIn('state', ['done', 'dead'])
    .limit(BATCH)
    .select<Row[]>('id');
  if (old.length === 0) return 0;
  return tx
    .knex(deliveries.name)
    .whereIn(
      'id',
      old.map(({ id }) => String(id)),
    )
    .delete();
}
