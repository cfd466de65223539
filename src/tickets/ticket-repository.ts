import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, oneOf, text, whole, type Codec } from '../db/table.ts';
import { isLevel, statuses, ticketTypes, type Level, type Status, type Ticket } from './ticket.ts';

const level: Codec<Level> = {
  encode: (value) => value,
  decode(stored) {
    const number = Number(stored);
    if (!isLevel(number)) throw new TypeError('The database holds a level outside 1 to 5');
    return number;
  },
};

export const tickets = defineTable('tickets', {
  id: text,
  number: whole,
  entityId: text,
  type: oneOf(...ticketTypes),
  title: text,
  description: text,
  categoryId: nullable(text),
  status: oneOf(...statuses),
  urgency: level,
  impact: level,
  priority: level,
  requesterId: text,
  createdById: nullable(text),
  followsId: nullable(text),
  createdAt: instant,
  updatedAt: instant,
  firstReplyAt: nullable(instant),
  solvedAt: nullable(instant),
  closedAt: nullable(instant),
  version: whole,
});

type TicketRow = Omit<Ticket, 'observers' | 'assignees'>;

interface Member {
  ticket_id: string;
  role: 'observer' | 'assignee';
  kind: 'user' | 'group';
  member_id: string;
}

type Row = Record<string, unknown>;

export async function findTicket(db: Queryable, number: number): Promise<Ticket | null> {
  const rows = (await db.knex(tickets.name).select(tickets.columns).where({ number })) as Row[];
  const [ticket] = await withMembers(db, rows);
  return ticket ?? null;
}

export async function findTicketById(db: Queryable, id: string): Promise<Ticket | null> {
  const rows = (await db.knex(tickets.name).select(tickets.columns).where({ id })) as Row[];
  const [ticket] = await withMembers(db, rows);
  return ticket ?? null;
}

export async function followersOf(db: Queryable, ticketId: string): Promise<Ticket[]> {
  const rows = db
    .knex(tickets.name)
    .select(tickets.columns)
    .where({ follows_id: ticketId })
    .orderBy('number');
  return withMembers(db, (await rows.limit(20)) as Row[]);
}

/** Rows of `tickets` as tickets, each with its people, in two statements however many there are. */
export async function withMembers(db: Queryable, rows: Row[]): Promise<Ticket[]> {
  const found: TicketRow[] = rows.map(tickets.decode);
  if (found.length === 0) return [];
  const members = (await db
    .knex('ticket_members')
    .whereIn(
      'ticket_id',
      found.map(({ id }) => id),
    )
    .orderBy('member_id')) as Member[];
  const byTicket = Map.groupBy(members, ({ ticket_id }) => ticket_id);
  return found.map((row) => ({ ...row, ...peopleFrom(byTicket.get(row.id) ?? []) }));
}

function peopleFrom(members: readonly Member[]): Pick<Ticket, 'observers' | 'assignees'> {
  const idsOf = (role: Member['role'], kind: Member['kind']): string[] =>
    members.filter((one) => one.role === role && one.kind === kind).map(({ member_id }) => member_id);
  return {
    observers: idsOf('observer', 'user'),
    assignees: { users: idsOf('assignee', 'user'), groups: idsOf('assignee', 'group') },
  };
}

export async function insertTicket(tx: Tx, ticket: Ticket, searchText: string): Promise<void> {
  await tx.knex(tickets.name).insert({ ...tickets.encode(ticket), search_text: searchText });
  await insertMembers(tx, ticket);
}

/** Writes `ticket` over the version before it; false when somebody else was quicker. */
export async function updateTicket(tx: Tx, ticket: Ticket): Promise<boolean> {
  const changed = await tx
    .knex(tickets.name)
    .where({ id: ticket.id, version: ticket.version - 1 })
    .update(tickets.encode(ticket));
  return changed === 1;
}

/** Makes somebody else the requester, whatever version it is at. */
export async function handOver(
  tx: Tx,
  { ticketId, requesterId, now }: { ticketId: string; requesterId: string; now: number },
): Promise<void> {
  await tx
    .knex(tickets.name)
    .where({ id: ticketId })
    .update({ requester_id: requesterId, updated_at: now, version: tx.knex.raw('version + 1') });
}

export async function replaceMembers(tx: Tx, ticket: Ticket): Promise<void> {
  await tx.knex('ticket_members').where({ ticket_id: ticket.id }).delete();
  await insertMembers(tx, ticket);
}

async function insertMembers(tx: Tx, { id, observers, assignees }: Ticket): Promise<void> {
  const member = (role: Member['role'], kind: Member['kind']) => (memberId: string) => ({
    ticket_id: id,
    role,
    kind,
    member_id: memberId,
  });
  const rows = [
    ...observers.map(member('observer', 'user')),
    ...assignees.users.map(member('assignee', 'user')),
    ...assignees.groups.map(member('assignee', 'group')),
  ];
  if (rows.length > 0) await tx.knex('ticket_members').insert(rows);
}

export async function readSearchText(tx: Tx, ticketId: string): Promise<string> {
  const rows = await tx.knex(tickets.name).where({ id: ticketId }).select('search_text');
  return (rows as { search_text: string }[])[0]?.search_text ?? '';
}

export async function writeSearchText(tx: Tx, ticketId: string, searchText: string): Promise<void> {
  await tx.knex(tickets.name).where({ id: ticketId }).update({ search_text: searchText });
}

/** Solved before `before` and still not closed, oldest first. */
export async function listLongSolved(
  db: Queryable,
  { before, limit }: { before: number; limit: number },
): Promise<{ number: number; version: number }[]> {
  const status: Status = 'solved';
  const rows = (await db
    .knex(tickets.name)
    .select(tickets.columns)
    .where({ status })
    .where('solved_at', '<', before)
    .orderBy('solved_at')
    .limit(limit)) as Row[];
  return rows.map(tickets.decode).map(({ number, version }) => ({ number, version }));
}
