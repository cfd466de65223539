import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, nullable, text } from '../db/table.ts';

const onces = defineTable('ticket_once', {
  owner: text,
  token: text,
  ticketId: text,
  entryId: nullable(text),
});

/** Whose call it is, and what they call it. */
export interface Once {
  owner: string;
  token: string;
}

/** What a call has made. */
export interface Made {
  ticketId: string;
  entryId: string | null;
}

type Row = Record<string, unknown>;

export async function findMade(db: Queryable, { owner, token }: Once): Promise<Made | null> {
  const row = (await db.knex(onces.name).where({ owner, token }).first()) as Row | undefined;
  return row ? onces.decode(row) : null;
}

/** With what was made, in its transaction: of two calls at once, the second fails here and leaves nothing. */
export async function insertMade(tx: Tx, once: Once, made: Made): Promise<void> {
  await tx.knex(onces.name).insert(onces.encode({ ...once, ...made }));
}

/** The name under which `owner` has opened a ticket; null when somebody else did. */
export async function tokenOf(db: Queryable, ticketId: string, owner: string): Promise<string | null> {
  const row = (await db
    .knex(onces.name)
    .where({ ticket_id: ticketId, owner })
    .whereNull('entry_id')
    .first()) as Row | undefined;
  return row ? onces.decode(row).token : null;
}

/** The entries of a ticket that `owner` has written under a name, and that name. */
export async function tokensOn(db: Queryable, ticketId: string, owner: string): Promise<Map<string, string>> {
  const rows = (await db
    .knex(onces.name)
    .where({ ticket_id: ticketId, owner })
    .whereNotNull('entry_id')) as Row[];
  return new Map(rows.map(onces.decode).map(({ entryId, token }) => [entryId ?? '', token]));
}
