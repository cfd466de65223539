import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, flag, instant, text, whole } from '../db/table.ts';
import { ConflictError } from '../shared/errors.ts';
import type { Category } from './category.ts';

const categories = defineTable('ticket_categories', {
  id: text,
  entityId: text,
  name: text,
  archived: flag,
  createdAt: instant,
  version: whole,
});

export async function findCategory(db: Queryable, id: string): Promise<Category | null> {
  const row = (await db.knex(categories.name).where({ id }).first()) as Record<string, unknown> | undefined;
  return row ? categories.decode(row) : null;
}

export async function listCategories(db: Queryable, entityIds?: readonly string[]): Promise<Category[]> {
  const all = db.knex(categories.name).orderBy(['name', 'id']);
  const rows = await (entityIds ? all.whereIn('entity_id', [...entityIds]) : all);
  return rows.map(categories.decode);
}

export async function insertCategory(tx: Tx, category: Category): Promise<void> {
  await refusingTwins(tx, () => tx.knex(categories.name).insert(categories.encode(category)));
}

/** False when somebody else changed it since. */
export async function updateCategory(tx: Tx, category: Category): Promise<boolean> {
  const guarded = tx.knex(categories.name).where({ id: category.id, version: category.version - 1 });
  return (await refusingTwins(tx, () => guarded.update(categories.encode(category)))) === 1;
}

async function refusingTwins<T>(tx: Tx, write: () => PromiseLike<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!tx.dialect.isDuplicate(error)) throw error;
    throw new ConflictError('category.exists', {
      cause: error,
      fields: [{ field: 'name', code: 'category.exists' }],
    });
  }
}
