import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const { instant, nullable, text, whole } = column;

const requests = defineTable('hub_support', {
  userId: text,
  id: text,
  uid: text,
  subscriptionId: text,
  number: whole,
  ticketId: nullable(text),
  plugin: nullable(text),
  askedAt: instant,
});

/** A helpdesk's support request, by the id that it has there, and the ticket that it is here. */
export type SupportRequest = ReturnType<typeof requests.decode>;
type Row = Record<string, unknown>;
const MOST_COUNTED = 10_000;

export async function findRequest(
  db: Queryable,
  { userId, id }: Pick<SupportRequest, 'userId' | 'id'>,
): Promise<SupportRequest | null> {
  const row = (await db.knex(requests.name).where({ user_id: userId, id }).first()) as Row | undefined;
  return row ? requests.decode(row) : null;
}

export async function findRequestOf(db: Queryable, number: number): Promise<SupportRequest | null> {
  const row = (await db.knex(requests.name).where({ number }).first()) as Row | undefined;
  return row ? requests.decode(row) : null;
}

/** Of the ticket with this id; requests of old have none. */
export async function findRequestAt(db: Queryable, ticketId: string): Promise<SupportRequest | null> {
  const row = (await db.knex(requests.name).where({ ticket_id: ticketId }).first()) as Row | undefined;
  return row ? requests.decode(row) : null;
}

/** The same request may come in ten times at once. */
export async function insertRequest(tx: Tx, request: SupportRequest): Promise<void> {
  await tx.knex(requests.name).insert(requests.encode(request)).onConflict(['user_id', 'id']).ignore();
}

/** It goes on with another ticket. */
export async function moveRequest(
  tx: Tx,
  { userId, id, number, ticketId }: Pick<SupportRequest, 'userId' | 'id' | 'number' | 'ticketId'>,
): Promise<void> {
  await tx.knex(requests.name).where({ user_id: userId, id }).update(requests.encode({ number, ticketId }));
}

/** When requests came in. */
export async function listRequestDays(db: Queryable, since: number): Promise<number[]> {
  const rows: Row[] = await db
    .knex(requests.name)
    .where('asked_at', '>', since)
    .limit(MOST_COUNTED)
    .select('asked_at');
  return rows.map(({ asked_at: at }) => Number(at));
}
