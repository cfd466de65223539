import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const { instant, json, nullable, text, whole } = column;

const checkIns = defineTable('hub_check_in', {
  subscriptionId: text,
  uid: text,
  counter: whole,
  told: json<Told>(),
  at: instant,
  forkedAt: nullable(instant),
});
const trials = defineTable('hub_trial', { userId: text, plugin: text, startedAt: instant, until: instant });

export interface Told {
  latchkey: string;
  plugins: { id: string; version: string }[];
}
export type StoredCheckIn = ReturnType<typeof checkIns.decode>;
export type Trial = ReturnType<typeof trials.decode>;
type Row = Record<string, unknown>;
const MOST_TOLD = 5_000;

/** A number that does not rise was used before: two copies of one installation. A person decides what that means. */
export async function noteCheckIn(tx: Tx, seen: Omit<StoredCheckIn, 'forkedAt'>): Promise<void> {
  const { subscriptionId, uid, counter, at } = seen;
  const one = { subscription_id: subscriptionId, uid };
  await tx
    .knex(checkIns.name)
    .insert(checkIns.encode({ ...seen, counter: 0 }))
    .onConflict(['subscription_id', 'uid'])
    .ignore();
  const risen = await tx
    .knex(checkIns.name)
    .where(one)
    .where('counter', '<', counter)
    .update(checkIns.encode(seen));
  if (risen === 0)
    await tx
      .knex(checkIns.name)
      .where({ ...one, forked_at: null })
      .update({ forked_at: at });
}

/** What helpdesks have told lately; of all, or of some subscriptions. */
export async function listTold(
  db: Queryable,
  { since, subscriptionIds }: { since: number; subscriptionIds?: readonly string[] },
): Promise<Told[]> {
  const lately = db.knex(checkIns.name).where('at', '>=', since).orderBy('at', 'desc').limit(MOST_TOLD);
  if (subscriptionIds) void lately.whereIn('subscription_id', [...subscriptionIds]);
  return ((await lately) as Row[]).map(checkIns.decode).map(({ told }) => told);
}

/** The first one stays, whoever asks again, and from whichever installation. */
export async function startTrial(tx: Tx, trial: Trial): Promise<void> {
  await tx.knex(trials.name).insert(trials.encode(trial)).onConflict(['user_id', 'plugin']).ignore();
}

export async function listTrials(db: Queryable, userId: string): Promise<Trial[]> {
  return ((await db.knex(trials.name).where({ user_id: userId })) as Row[]).map(trials.decode);
}

/** How many days a plugin may be tried; zero when it may not. */
export async function trialDaysOf(db: Queryable, plugin: string): Promise<number> {
  const row = await db
    .knex('hub_plugin')
    .where({ name_key: plugin.replaceAll('-', '') })
    .first<{ record: string } | undefined>('record');
  const { trialDays } = JSON.parse(row?.record ?? '{}') as { trialDays?: unknown };
  return typeof trialDays === 'number' && trialDays > 0 ? trialDays : 0;
}
