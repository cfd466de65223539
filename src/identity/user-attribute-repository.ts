import type { Queryable, Tx } from '../db/database.ts';

/** What is known of somebody beyond name and address, by name: `phone`, `department`, `cost-centre`. */
export type Attributes = Readonly<Record<string, string>>;

const TABLE = 'user_attributes';

export async function listAttributes(db: Queryable, userId: string): Promise<Attributes> {
  const rows = await db
    .knex(TABLE)
    .where({ user_id: userId })
    .orderBy('name')
    .select<{ name: string; value: string }[]>('name', 'value');
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/** Sets these and leaves the others; an empty value takes one away. */
export async function writeAttributes(
  tx: Tx,
  userId: string,
  attributes: Attributes,
  now: number,
): Promise<void> {
  const names = Object.keys(attributes);
  if (names.length === 0) return;
  await tx.knex(TABLE).where({ user_id: userId }).whereIn('name', names).delete();
  const rows = Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ({ user_id: userId, name, value, set_at: now }));
  if (rows.length > 0) await tx.knex(TABLE).insert(rows);
}

export async function deleteAttributesOf(tx: Tx, userId: string): Promise<void> {
  await tx.knex(TABLE).where({ user_id: userId }).delete();
}
