import type { Knex } from 'knex';
import type { Queryable } from '../db/database.ts';
import { countUpTo } from '../db/pages.ts';
import { offsetOf, type Page, type PageRequest } from '../shared/page.ts';
import { questionFrom } from './ticket-question.ts';
import type { Sort, TicketFilter } from './ticket-filter.ts';
import { tickets, withMembers } from './ticket-repository.ts';
import { activeStatuses, statuses, type Ticket } from './ticket.ts';

/** Whose tickets a list may show: those of these entities, and those the person has a part in. */
export interface Scope {
  entities: 'all' | readonly string[];
  userId: string | null;
  groups: readonly string[];
}

/** In a list nobody reads the description. */
export type TicketSummary = Omit<Ticket, 'description'>;

const DAY_MS = 86_400_000;
const summaryColumns = tickets.columns.filter((column) => !column.endsWith('.description'));

export async function listTickets(
  db: Queryable,
  scope: Scope,
  filter: TicketFilter,
  page: PageRequest,
): Promise<Page<TicketSummary>> {
  const found = narrowed(db, scope, filter);
  const [items, total] = await Promise.all([
    summariesOf(db, inOrder(found.clone(), filter).limit(page.perPage).offset(offsetOf(page))),
    countUpTo(db, found),
  ]);
  return { items, total, page: page.page, perPage: page.perPage };
}

/** Without counting: for exports and the front page. */
export async function firstTickets(
  db: Queryable,
  scope: Scope,
  filter: TicketFilter,
  limit: number,
): Promise<TicketSummary[]> {
  return summariesOf(db, inOrder(narrowed(db, scope, filter), filter).limit(limit));
}

export const countTickets = (db: Queryable, scope: Scope, filter: TicketFilter): Promise<number> =>
  countUpTo(db, narrowed(db, scope, filter));

async function summariesOf(db: Queryable, query: Knex.QueryBuilder): Promise<TicketSummary[]> {
  const rows: Record<string, unknown>[] = await query.select(summaryColumns);
  const found = await withMembers(
    db,
    rows.map((row) => ({ ...row, description: '' })),
  );
  return found.map(({ description: _, ...summary }) => summary);
}

function narrowed(db: Queryable, scope: Scope, filter: TicketFilter): Knex.QueryBuilder {
  const found: Knex.QueryBuilder = db.knex(tickets.name);
  withinScope(db, found, scope);
  withStatus(found, filter.status);
  if (filter.category !== '') found.where('tickets.category_id', filter.category);
  if (filter.entity !== '') found.where('tickets.entity_id', filter.entity);
  if (filter.priority !== null) found.where('tickets.priority', filter.priority);
  if (filter.requester !== '') found.where('tickets.requester_id', filter.requester);
  if (filter.from !== '') found.where('tickets.created_at', '>=', Date.parse(filter.from));
  if (filter.to !== '') found.where('tickets.created_at', '<', Date.parse(filter.to) + DAY_MS);
  if (filter.among) found.whereIn('tickets.id', [...filter.among]);
  assignedTo(db, found, scope, filter.assignee);
  withWords(db, found, filter.q);
  return found;
}

export function withinScope(db: Queryable, found: Knex.QueryBuilder, { entities, userId }: Scope): void {
  if (entities === 'all') return;
  const part = db
    .knex('ticket_members')
    .select('ticket_id')
    .where({ member_id: userId ?? '', kind: 'user' });
  if (entities.length === 0) {
    // Joined, not asked for row by row: most people have few tickets among very many.
    const own = db
      .knex('tickets as asked')
      .select('asked.id')
      .where('asked.requester_id', userId ?? '');
    found.innerJoin(part.union(own).as('own'), 'own.ticket_id', 'tickets.id');
    return;
  }
  found.where((any: Knex.QueryBuilder) => {
    any.whereIn('tickets.entity_id', [...entities]);
    any.orWhere('tickets.requester_id', userId ?? '').orWhereIn('tickets.id', part);
  });
}

function withStatus(found: Knex.QueryBuilder, status: TicketFilter['status']): void {
  if (status === 'all') return;
  if (status === 'active') found.whereIn('tickets.status', [...activeStatuses]);
  else found.where('tickets.status', status);
}

function assignedTo(db: Queryable, found: Knex.QueryBuilder, scope: Scope, assignee: string): void {
  const assigned = (): Knex.QueryBuilder =>
    db.knex('ticket_members').select('ticket_id').where({ role: 'assignee' }) as Knex.QueryBuilder;
  switch (assignee) {
    case '':
      return;
    case 'me':
      found.whereIn('tickets.id', assigned().where({ member_id: scope.userId ?? '' }));
      return;
    case 'my-groups':
      found.whereIn(
        'tickets.id',
        assigned()
          .where({ kind: 'group' })
          .whereIn('member_id', [...scope.groups]),
      );
      return;
    case 'nobody':
      found.whereNotExists(assigned().whereRaw('ticket_members.ticket_id = tickets.id'));
      return;
    default:
      found.whereIn('tickets.id', assigned().where({ member_id: assignee }));
  }
}

function withWords(db: Queryable, found: Knex.QueryBuilder, question: string): void {
  if (question === '') return;
  const { words, number } = questionFrom(question);
  if (words.length === 0 && number === null) {
    found.whereRaw('1 = 0');
    return;
  }
  found.where((any: Knex.QueryBuilder) => {
    if (number !== null) any.orWhere('tickets.number', number);
    if (words.length === 0) return;
    const { sql, bindings } = db.dialect.search.condition(tickets.name, words);
    any.orWhereRaw(sql, bindings);
  });
}

const columnOf: Record<Exclude<Sort, 'attention' | 'status'>, string> = {
  updated: 'tickets.updated_at',
  created: 'tickets.created_at',
  number: 'tickets.number',
  priority: 'tickets.priority',
  title: 'tickets.title',
};

/** What needs somebody first: the most urgent, and of those the one that has waited longest. */
function inOrder(found: Knex.QueryBuilder, { sort, descending }: TicketFilter): Knex.QueryBuilder {
  const way = descending ? 'desc' : 'asc';
  if (sort === 'attention') {
    return found.orderBy([{ column: 'tickets.priority', order: 'desc' }, 'tickets.updated_at', 'tickets.id']);
  }
  if (sort === 'status') found.orderByRaw(`${rankOfStatus} ${way}`, [...statuses]);
  else found.orderBy(columnOf[sort], way);
  return found.orderBy('tickets.id', way);
}

const rankOfStatus = `CASE tickets.status ${statuses.map((_, at) => `WHEN ? THEN ${String(at)}`).join(' ')} END`;
