import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, text } from '../db/table.ts';

/** Whom a ticket is about who has no account yet. */
export interface Correspondent {
  ticketId: string;
  email: string;
  emailNorm: string;
  createdBy: string | null;
  createdAt: number;
}

const correspondents = defineTable('ticket_correspondents', {
  ticketId: text,
  email: text,
  emailNorm: text,
  createdBy: nullable(text),
  createdAt: instant,
});

type Row = Record<string, unknown>;

export async function findCorrespondent(db: Queryable, ticketId: string): Promise<Correspondent | null> {
  const row = (await db.knex(correspondents.name).where({ ticket_id: ticketId }).first()) as Row | undefined;
  return row ? correspondents.decode(row) : null;
}

/** The tickets that wait for this person: this one, and all of this address. */
export async function listWaitingTickets(
  db: Queryable,
  { ticketId, emailNorm }: { ticketId: string | null; emailNorm: string | null },
): Promise<string[]> {
  const rows = await db
    .knex(correspondents.name)
    .where((w) => {
      void w.where({ ticket_id: ticketId ?? '' });
      if (emailNorm !== null) void w.orWhere({ email_norm: emailNorm });
    })
    .limit(200)
    .select<Row[]>('ticket_id');
  return rows.map((row) => String(row['ticket_id']));
}

export async function saveCorrespondent(tx: Tx, correspondent: Correspondent): Promise<void> {
  await tx
    .knex(correspondents.name)
    .insert(correspondents.encode(correspondent))
    .onConflict('ticket_id')
    .merge();
}

/** False when somebody else has taken it. */
export async function deleteCorrespondent(tx: Tx, ticketId: string): Promise<boolean> {
  return (await tx.knex(correspondents.name).where({ ticket_id: ticketId }).delete()) === 1;
}
