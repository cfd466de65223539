import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, oneOf, text } from '../db/table.ts';
import { causes, type Stop, type Trial } from './stop.ts';

const stops = defineTable('marketplace_stop', {
  pluginId: text,
  version: text,
  cause: oneOf(...causes),
  reason: text,
  stoppedAt: instant,
  allowedAt: nullable(instant),
  allowedBy: nullable(text),
  allowedBecause: nullable(text),
});
const trials = defineTable('marketplace_trial', {
  pluginId: text,
  endsAt: instant,
  entitledAt: nullable(instant),
});

type Row = Record<string, unknown>;

export async function listStops(db: Queryable): Promise<Stop[]> {
  return ((await db.knex(stops.name).orderBy('plugin_id')) as Row[]).map(stops.decode);
}

export async function findStop(db: Queryable, pluginId: string): Promise<Stop | null> {
  const row = (await db.knex(stops.name).where({ plugin_id: pluginId }).first()) as Row | undefined;
  return row ? stops.decode(row) : null;
}

/** What was decided of another version or for another reason is decided anew. */
export async function putStop(tx: Tx, stop: Stop): Promise<void> {
  await tx.knex(stops.name).insert(stops.encode(stop)).onConflict('plugin_id').merge();
}

export async function deleteStop(tx: Tx, pluginId: string): Promise<void> {
  await tx.knex(stops.name).where({ plugin_id: pluginId }).delete();
}

/** False when it is not, or no longer, what was looked at. */
export async function allowStop(
  tx: Tx,
  { pluginId, version }: Pick<Stop, 'pluginId' | 'version'>,
  allowed: Pick<Stop, 'allowedAt' | 'allowedBy' | 'allowedBecause'>,
): Promise<boolean> {
  const where = { plugin_id: pluginId, version, cause: 'withdrawn', allowed_at: null };
  return (await tx.knex(stops.name).where(where).update(stops.encode(allowed))) === 1;
}

export async function listTrials(db: Queryable): Promise<Trial[]> {
  const rows: Row[] = await db.knex<Row>(trials.name);
  return rows.map(trials.decode);
}

export async function putTrial(tx: Tx, trial: Trial): Promise<void> {
  await tx.knex(trials.name).insert(trials.encode(trial)).onConflict('plugin_id').ignore();
}

/** Paid for once: it keeps running from now on, whatever becomes of the subscription. */
export async function noteEntitled(tx: Tx, pluginId: string, entitledAt: number): Promise<void> {
  await tx
    .knex(trials.name)
    .where({ plugin_id: pluginId, entitled_at: null })
    .update(trials.encode({ entitledAt }));
}
