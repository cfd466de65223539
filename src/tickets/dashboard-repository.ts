import type { Knex } from 'knex';
import type { Queryable } from '../db/database.ts';
import { withinScope, type Scope } from './ticket-list-repository.ts';
import { activeStatuses, statuses, type Status } from './ticket.ts';

const DAY_MS = 86_400_000;

const visible = (db: Queryable, scope: Scope): Knex.QueryBuilder => {
  const found: Knex.QueryBuilder = db.knex('tickets');
  withinScope(db, found, scope);
  return found;
};

export async function countByStatus(db: Queryable, scope: Scope): Promise<Map<Status, number>> {
  const rows: { status: string; total: number | string }[] = await visible(db, scope)
    .whereIn('tickets.status', [...activeStatuses])
    .groupBy('tickets.status')
    .select('tickets.status')
    .count({ total: '*' });
  const counts = new Map(rows.map(({ status, total }) => [status, Number(total)]));
  return new Map(statuses.map((status) => [status, counts.get(status) ?? 0]));
}

/** How many open tickets each category has, the fullest first; null is "none". */
export async function countByCategory(
  db: Queryable,
  scope: Scope,
  limit: number,
): Promise<{ categoryId: string | null; total: number }[]> {
  const rows = (await visible(db, scope)
    .whereIn('tickets.status', [...activeStatuses])
    .groupBy('tickets.category_id')
    .select('tickets.category_id')
    .count({ total: '*' })
    .orderBy('total', 'desc')
    .limit(limit)) as { category_id: string | null; total: number | string }[];
  return rows.map(({ category_id, total }) => ({ categoryId: category_id, total: Number(total) }));
}

/** Per day since `from` (a midnight, UTC), how many tickets have `column` in it; days without any are left out. */
export async function countByDay(
  db: Queryable,
  scope: Scope,
  { column, from }: { column: 'created_at' | 'solved_at'; from: number },
): Promise<Map<number, number>> {
  const day = db.knex.raw('FLOOR((?? - ?) / ?)', [`tickets.${column}`, from, DAY_MS]);
  const rows: { day: number | string; total: number | string }[] = await visible(db, scope)
    .where(`tickets.${column}`, '>=', from)
    .select({ day })
    .count({ total: '*' })
    .groupBy('day');
  return new Map(rows.map((row) => [Number(row.day), Number(row.total)]));
}

/** Milliseconds from opening to the first reply, over tickets opened since `from`; null when none was answered. */
export async function averageFirstReply(db: Queryable, scope: Scope, from: number): Promise<number | null> {
  const rows: { average: number | string | null }[] = await visible(db, scope)
    .where('tickets.created_at', '>=', from)
    .whereNotNull('tickets.first_reply_at')
    .select({ average: db.knex.raw('AVG(tickets.first_reply_at - tickets.created_at)') });
  const average = rows[0]?.average ?? null;
  return average === null ? null : Number(average);
}
