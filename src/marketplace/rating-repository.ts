import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, flag, instant, nullable, text, whole } from '../db/table.ts';

const ratings = defineTable('marketplace_rating', {
  pluginId: text,
  hub: text,
  stars: whole,
  sentence: text,
  saidBy: text,
  saidAt: instant,
  isTold: flag,
  /** Why the hub does not take it, in its own words. */
  refusal: nullable(text),
  tries: whole,
  nextAt: instant,
});

/** What this house thinks of a plugin. */
export type Rating = ReturnType<typeof ratings.decode>;
type Row = Record<string, unknown>;

export async function findRating(db: Queryable, pluginId: string): Promise<Rating | null> {
  const row = (await db.knex(ratings.name).where({ plugin_id: pluginId }).first()) as Row | undefined;
  return row ? ratings.decode(row) : null;
}

export async function putRating(tx: Tx, rating: Rating): Promise<void> {
  await tx.knex(ratings.name).insert(ratings.encode(rating)).onConflict('plugin_id').merge();
}

/** What the hub has not heard of yet. */
export async function listUntold(db: Queryable, hub: string, now: number): Promise<Rating[]> {
  const untold = db.knex(ratings.name).where({ hub, is_told: 0, refusal: null }).where('next_at', '<=', now);
  return ((await untold.orderBy('next_at').limit(50)) as Row[]).map(ratings.decode);
}

/** Of this very rating: one that was changed meanwhile is still to be told. */
export async function noteTelling(
  tx: Tx,
  { pluginId, saidAt }: Pick<Rating, 'pluginId' | 'saidAt'>,
  change: Partial<Pick<Rating, 'isTold' | 'refusal' | 'tries' | 'nextAt'>>,
): Promise<void> {
  await tx.knex(ratings.name).where({ plugin_id: pluginId, said_at: saidAt }).update(ratings.encode(change));
}
