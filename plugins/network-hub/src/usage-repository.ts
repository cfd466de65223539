import { type Queryable, type Tx } from 'latchkey/plugin-api';

type Row = Record<string, unknown>;

/** Once a day for each helpdesk is enough. */
export async function noteSeenDay(tx: Tx, day: string, instanceId: string): Promise<void> {
  await tx
    .knex('hub_seen_day')
    .insert({ day, instance_id: instanceId })
    .onConflict(['day', 'instance_id'])
    .ignore();
}

/** How many helpdesks showed up on each of these days; of all, or of some subscriptions. One that has two keys is one. */
export async function helpdesksByDay(
  db: Queryable,
  { since, subscriptionIds }: { since: string; subscriptionIds?: readonly string[] },
): Promise<Map<string, number>> {
  const all = db
    .knex('hub_seen_day')
    .join('hub_instance', 'hub_instance.id', 'hub_seen_day.instance_id')
    .where('day', '>=', since)
    .groupBy('day')
    .select('day')
    .countDistinct({ count: 'hub_instance.uid' });
  if (subscriptionIds) void all.whereIn('subscription_id', [...subscriptionIds]);
  return byDay(await all);
}

export async function downloadsByDay(db: Queryable, since: string): Promise<Map<string, number>> {
  const rows: Row[] = await db
    .knex('hub_download_day')
    .where('day', '>=', since)
    .groupBy('day')
    .select('day')
    .sum({ count: 'count' });
  return byDay(rows);
}

/** Which programs ask, and how many of each, lately. */
export async function programs(
  db: Queryable,
  { seenSince, limit }: { seenSince: number; limit: number },
): Promise<{ program: string; count: number }[]> {
  const rows = (await db
    .knex('hub_instance')
    .where('seen_at', '>=', seenSince)
    .groupBy('program')
    .select('program')
    .count({ count: '*' })
    .orderBy([{ column: 'count', order: 'desc' }, 'program'])
    .limit(limit)) as Row[];
  return rows.map(({ program, count }) => ({ program: String(program), count: Number(count) }));
}

const byDay = (rows: readonly Row[]): Map<string, number> =>
  new Map(rows.map(({ day, count }) => [String(day), Number(count)]));
