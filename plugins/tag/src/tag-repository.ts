import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import { tones, type Tag } from './tag.ts';

const tags = defineTable('tag_tag', {
  id: column.text,
  name: column.text,
  slug: column.text,
  tone: column.oneOf(...tones),
  createdAt: column.instant,
});

export async function listTags(db: Queryable): Promise<Tag[]> {
  const rows = await db.knex(tags.name).orderBy('name');
  return rows.map(tags.decode);
}

export async function countTickets(db: Queryable): Promise<Map<string, number>> {
  const rows: { tag_id: string; total: number | string }[] = await db
    .knex('tag_ticket')
    .select('tag_id')
    .count({ total: '*' })
    .groupBy('tag_id');
  return new Map(rows.map(({ tag_id: id, total }) => [id, Number(total)]));
}

export async function tagsOf(db: Queryable, ticketId: string): Promise<Tag[]> {
  const rows = await db
    .knex(tags.name)
    .select(tags.columns)
    .innerJoin('tag_ticket', 'tag_ticket.tag_id', 'tag_tag.id')
    .where('tag_ticket.ticket_id', ticketId)
    .orderBy('tag_tag.name');
  return rows.map(tags.decode);
}

/** Ids of the newest tickets that carry all of these tags. */
export async function ticketsWith(db: Queryable, asked: readonly string[], limit: number): Promise<string[]> {
  const slugs = [...new Set(asked)];
  const rows = await db
    .knex('tag_ticket')
    .select<{ ticket_id: string }[]>('tag_ticket.ticket_id')
    .innerJoin('tag_tag', 'tag_tag.id', 'tag_ticket.tag_id')
    .whereIn('tag_tag.slug', slugs)
    .groupBy('tag_ticket.ticket_id')
    .havingRaw('COUNT(*) = ?', [slugs.length])
    .orderBy('tag_ticket.ticket_id', 'desc')
    .limit(limit);
  return rows.map(({ ticket_id: id }) => id);
}

/** False when there is one of this name already. */
export async function insertTag(tx: Tx, tag: Tag): Promise<boolean> {
  await tx.knex(tags.name).insert(tags.encode(tag)).onConflict('slug').ignore();
  const kept = await tx.knex(tags.name).where({ slug: tag.slug }).first<{ id: string } | undefined>('id');
  return kept?.id === tag.id;
}

export async function deleteTag(tx: Tx, id: string): Promise<Tag | null> {
  const row = await tx.knex(tags.name).where({ id }).first<Record<string, unknown> | undefined>();
  await tx.knex(tags.name).where({ id }).delete();
  return row ? tags.decode(row) : null;
}

/** These and no others; ids that are no tag's are left out. */
export async function setTags(tx: Tx, ticketId: string, ids: readonly string[]): Promise<void> {
  await tx
    .knex('tag_ticket')
    .where({ ticket_id: ticketId })
    .whereNotIn('tag_id', [...ids])
    .delete();
  const known = await tx
    .knex(tags.name)
    .select<{ id: string }[]>('id')
    .whereIn('id', [...ids]);
  for (const { id } of known)
    await tx
      .knex('tag_ticket')
      .insert({ ticket_id: ticketId, tag_id: id })
      .onConflict(['ticket_id', 'tag_id'])
      .ignore();
}
