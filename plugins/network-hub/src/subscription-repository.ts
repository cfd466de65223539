import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import type { HubKey, Instance, Offer, Subscription } from './subscription.ts';

const { flag, instant, json, nullable, text, whole } = column;

const offers = defineTable('hub_offer', {
  reference: text,
  title: text,
  position: whole,
  isFree: flag,
  features: json<string[]>(),
});
const subscriptions = defineTable('hub_subscription', {
  id: text,
  userId: text,
  owner: text,
  offer: text,
  beginsAt: instant,
  endsAt: nullable(instant),
  createdAt: instant,
});
const keys = defineTable('hub_key', {
  id: text,
  subscriptionId: text,
  mark: text,
  createdAt: instant,
  endsAt: nullable(instant),
  revokedAt: nullable(instant),
  seenAt: nullable(instant),
});
const instances = defineTable('hub_instance', {
  id: text,
  subscriptionId: text,
  uid: text,
  program: text,
  firstSeenAt: instant,
  seenAt: instant,
});

type Row = Record<string, unknown>;
const MOST_SHOWN = 500;

export async function listOffers(db: Queryable): Promise<Offer[]> {
  return ((await db.knex(offers.name).orderBy('position')) as Row[]).map(offers.decode);
}

export async function insertSubscription(tx: Tx, subscription: Subscription): Promise<void> {
  await tx.knex(subscriptions.name).insert(subscriptions.encode(subscription));
}

export async function listSubscriptions(
  db: Queryable,
  of: { userId?: string } = {},
): Promise<Subscription[]> {
  const all = db.knex(subscriptions.name).orderBy('id', 'desc').limit(MOST_SHOWN);
  const rows = (await (of.userId === undefined ? all : all.where({ user_id: of.userId }))) as Row[];
  return rows.map(subscriptions.decode);
}

export async function findSubscription(db: Queryable, id: string): Promise<Subscription | null> {
  const row = (await db.knex(subscriptions.name).where({ id }).first()) as Row | undefined;
  return row ? subscriptions.decode(row) : null;
}

export async function insertKey(tx: Tx, key: HubKey, digest: Buffer): Promise<void> {
  await tx.knex(keys.name).insert({ ...keys.encode(key), digest });
}

export async function findKeyByDigest(db: Queryable, digest: Buffer): Promise<HubKey | null> {
  const row = (await db.knex(keys.name).select(keys.columns).where({ digest }).first()) as Row | undefined;
  return row ? keys.decode(row) : null;
}

export async function findKey(db: Queryable, id: string): Promise<HubKey | null> {
  const row = (await db.knex(keys.name).select(keys.columns).where({ id }).first()) as Row | undefined;
  return row ? keys.decode(row) : null;
}

export async function listKeys(db: Queryable, subscriptionIds: readonly string[]): Promise<HubKey[]> {
  const rows = (await db
    .knex(keys.name)
    .select(keys.columns)
    .whereIn('subscription_id', subscriptionIds)
    .orderBy('id', 'desc')
    .limit(MOST_SHOWN)) as Row[];
  return rows.map(keys.decode);
}

/** False when it was revoked, or on its way out, already. */
export async function endKey(tx: Tx, id: string, { endsAt }: { endsAt: number }): Promise<boolean> {
  const ended = await tx
    .knex(keys.name)
    .where({ id, revoked_at: null, ends_at: null })
    .update({ ends_at: endsAt });
  return ended === 1;
}

export async function revokeKey(tx: Tx, id: string, now: number): Promise<boolean> {
  return (await tx.knex(keys.name).where({ id, revoked_at: null }).update({ revoked_at: now })) === 1;
}

export async function listInstances(db: Queryable, subscriptionIds: readonly string[]): Promise<Instance[]> {
  const rows = (await db
    .knex(instances.name)
    .whereIn('subscription_id', subscriptionIds)
    .orderBy('seen_at', 'desc')
    .limit(MOST_SHOWN)) as Row[];
  return rows.map(instances.decode);
}

export async function findInstance(
  db: Queryable,
  { subscriptionId, uid }: Pick<Instance, 'subscriptionId' | 'uid'>,
): Promise<Instance | null> {
  const row = (await db.knex(instances.name).where({ subscription_id: subscriptionId, uid }).first()) as
    Row | undefined;
  return row ? instances.decode(row) : null;
}

export async function findInstanceById(db: Queryable, id: string): Promise<Instance | null> {
  const row = (await db.knex(instances.name).where({ id }).first()) as Row | undefined;
  return row ? instances.decode(row) : null;
}

/** With the days on which it was seen. */
export async function deleteInstance(tx: Tx, id: string): Promise<void> {
  await tx.knex(instances.name).where({ id }).delete();
}

export async function countInstances(db: Queryable, subscriptionId: string): Promise<number> {
  const counted = (await db
    .knex(instances.name)
    .where({ subscription_id: subscriptionId })
    .count({ count: '*' })
    .first()) as Row | undefined;
  return Number(counted?.['count'] ?? 0);
}

/** Two nodes of one helpdesk may show up in the same moment. */
export async function noteInstance(tx: Tx, instance: Instance): Promise<void> {
  await tx
    .knex(instances.name)
    .insert(instances.encode(instance))
    .onConflict(['subscription_id', 'uid'])
    .merge(['program', 'seen_at']);
}

export async function noteKeySeen(tx: Tx, id: string, now: number): Promise<void> {
  await tx.knex(keys.name).where({ id }).update({ seen_at: now });
}
