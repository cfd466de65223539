import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, text, whole } from '../db/table.ts';
import type { TracedStep } from '../hooks/index.ts';
import { newId } from '../shared/ids.ts';
import type { Ticket } from './ticket.ts';

const trail = defineTable('ticket_trail', {
  id: text,
  ticketId: text,
  at: instant,
  version: whole,
  step: json<TracedStep>(),
});
export type TrailStep = ReturnType<typeof trail.decode>;

const MOST_SHOWN = 200;

/** What plugins changed of that which becomes this version of the ticket. */
export async function insertTrail(tx: Tx, ticket: Ticket, steps: readonly TracedStep[]): Promise<void> {
  for (const step of steps) {
    const { id: ticketId, updatedAt: at, version } = ticket;
    await tx.knex(trail.name).insert(trail.encode({ id: newId(), ticketId, at, version, step }));
  }
}

export async function listTrail(db: Queryable, ticketId: string): Promise<TrailStep[]> {
  const rows = (await db
    .knex(trail.name)
    .where({ ticket_id: ticketId })
    .orderBy(['at', 'id'])
    .limit(MOST_SHOWN)) as Record<string, unknown>[];
  return rows.map(trail.decode);
}
