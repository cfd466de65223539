import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, json, whole } from '../db/table.ts';
import { deliveries, OPEN } from './delivery.ts';

const forgettings = defineTable('event_forgetting', { position: whole, words: json<string[]>() });
export type Forgetting = ReturnType<typeof forgettings.decode>;

/** Everybody who listens has been told, and nobody has to be told again. */
export async function listTold(db: Queryable, limit: number): Promise<Forgetting[]> {
  const untold = db
    .knex({ d: deliveries.name })
    .select(db.knex.raw('1'))
    .whereRaw('d.position = f.position')
    .whereIn('d.state', [...OPEN, 'dead']);
  const rows: Record<string, unknown>[] = await db
    .knex({ f: forgettings.name })
    .whereNotExists(untold)
    .orderBy('f.position')
    .limit(limit)
    .select('f.*');
  return rows.map(forgettings.decode);
}

/** Events that name somebody; `isOver` leaves out those of which somebody still has to hear. */
export async function findNaming(
  db: Queryable,
  { position, words }: Forgetting,
  { isOver, limit }: { isOver: boolean; limit: number },
): Promise<{ position: number; id: string }[]> {
  const open = db
    .knex({ d: deliveries.name })
    .select(db.knex.raw('1'))
    .whereRaw('d.position = e.position')
    .whereIn('d.state', [...OPEN]);
  const naming = db
    .knex({ e: 'event' })
    .whereNot('e.position', position)
    .where((some) => {
      for (const word of words) void some.orWhereRaw('INSTR(LOWER(e.payload), ?) > 0', [asWritten(word)]);
    });
  return (isOver ? naming.whereNotExists(open) : naming).limit(limit).select('e.position', 'e.id');
}

/** As it stands in a payload. */
const asWritten = (word: string): string => JSON.stringify(word).slice(1, -1).toLowerCase();

export async function deleteEvents(
  tx: Tx,
  events: readonly { position: number; id: string }[],
): Promise<void> {
  const positions = events.map(({ position }) => position);
  const ids = events.map(({ id }) => id);
  await tx.knex(deliveries.name).whereIn('position', positions).delete();
  await tx.knex('event_once').whereIn('event_id', ids).delete();
  await tx.knex('event').whereIn('position', positions).delete();
}

/** The event that asked for it: the last that knew whom. */
export async function deleteForgetting(tx: Tx, { position }: Forgetting): Promise<void> {
  await deleteEvents(tx, await tx.knex('event').where({ position }).select('position', 'id'));
  await tx.knex(forgettings.name).where({ position }).delete();
}
