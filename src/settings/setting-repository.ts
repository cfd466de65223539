import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, text, whole } from '../db/table.ts';

const settings = defineTable('setting', {
  id: text,
  value: text,
  keyId: nullable(whole),
  updatedAt: instant,
  updatedBy: nullable(text),
});
export type StoredSetting = ReturnType<typeof settings.decode>;

export async function listSettings(db: Queryable): Promise<StoredSetting[]> {
  return (await db.knex(settings.name)).map(settings.decode);
}

export async function findSetting(db: Queryable, id: string): Promise<StoredSetting | null> {
  const row: unknown = await db.knex(settings.name).where({ id }).first();
  return row ? settings.decode(row as Record<string, unknown>) : null;
}

export async function putSetting(tx: Tx, setting: StoredSetting): Promise<void> {
  await tx.knex(settings.name).insert(settings.encode(setting)).onConflict('id').merge();
}

/** Whether it was the first to be written under this id. */
export async function putSettingOnce(tx: Tx, setting: StoredSetting): Promise<boolean> {
  try {
    await tx.knex(settings.name).insert(settings.encode(setting));
    return true;
  } catch (error) {
    if (tx.dialect.isDuplicate(error)) return false;
    throw error;
  }
}
