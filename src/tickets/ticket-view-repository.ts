import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, text } from '../db/table.ts';
import type { TicketView } from './ticket-view.ts';

const views = defineTable('ticket_views', {
  id: text,
  ownerId: text,
  entityId: nullable(text),
  name: text,
  filters: text,
  createdAt: instant,
});

export async function listViews(
  db: Queryable,
  { ownerId, entities }: { ownerId: string; entities: 'all' | readonly string[] },
): Promise<TicketView[]> {
  const rows = await db
    .knex(views.name)
    .where({ owner_id: ownerId })
    .orWhere((shared) => {
      if (entities === 'all') shared.whereNotNull('entity_id');
      else shared.whereIn('entity_id', [...entities]);
    })
    .orderBy(['name', 'id'])
    .limit(100);
  return rows.map(views.decode);
}

export async function insertView(tx: Tx, view: TicketView): Promise<void> {
  await tx.knex(views.name).insert(views.encode(view));
}

/** False when there is no such view of this owner's. */
export async function deleteView(tx: Tx, { id, ownerId }: { id: string; ownerId: string }): Promise<boolean> {
  return (await tx.knex(views.name).where({ id, owner_id: ownerId }).delete()) === 1;
}
