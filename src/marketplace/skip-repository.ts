import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, text } from '../db/table.ts';

const skips = defineTable('marketplace_skip', {
  pluginId: text,
  version: text,
  skippedBy: text,
  skippedAt: instant,
});

/** A version that was passed over, and by whom. */
export type Skip = ReturnType<typeof skips.decode>;

export async function listSkips(db: Queryable): Promise<Skip[]> {
  const rows = (await db.knex(skips.name).select()) as Record<string, unknown>[];
  return rows.map(skips.decode);
}

export async function putSkip(tx: Tx, skip: Skip): Promise<void> {
  await tx.knex(skips.name).insert(skips.encode(skip)).onConflict('plugin_id').merge();
}

export async function deleteSkip(tx: Tx, pluginId: string): Promise<boolean> {
  return (await tx.knex(skips.name).where({ plugin_id: pluginId }).delete()) > 0;
}
