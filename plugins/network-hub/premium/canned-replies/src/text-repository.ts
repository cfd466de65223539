import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const texts = defineTable('canned_text', {
  slug: column.text,
  body: column.text,
  savedAt: column.instant,
});
export type KeptText = ReturnType<typeof texts.decode>;

export async function listTexts(db: Queryable): Promise<KeptText[]> {
  return (await db.knex(texts.name).orderBy('slug')).map(texts.decode);
}

export async function findBodies(db: Queryable, slugs: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.knex(texts.name).whereIn('slug', [...slugs]);
  return new Map(rows.map(texts.decode).map(({ slug, body }) => [slug, body]));
}

export async function putText(tx: Tx, text: KeptText): Promise<void> {
  await tx.knex(texts.name).insert(texts.encode(text)).onConflict('slug').merge();
}

export async function deleteText(tx: Tx, slug: string): Promise<void> {
  await tx.knex(texts.name).where({ slug }).delete();
}
