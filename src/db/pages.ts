import type { Knex } from 'knex';
import { COUNT_LIMIT, offsetOf, type Page, type PageRequest } from '../shared/page.ts';
import type { Queryable } from './database.ts';
import type { Table } from './table.ts';

interface Reading<R> {
  table: Pick<Table<R>, 'columns' | 'decode'>;
  /** Ends in a column that no two rows share. */
  order: { column: string; order?: 'asc' | 'desc' }[];
}

/** One page of what `wanted` finds, and how many it finds in all. */
export async function readPage<R>(
  db: Queryable,
  wanted: Knex.QueryBuilder,
  { table, order }: Reading<R>,
  { page, perPage }: PageRequest,
): Promise<Page<R>> {
  const rows = (await wanted
    .clone()
    .select(table.columns)
    .orderBy(order)
    .limit(perPage)
    .offset(offsetOf({ page, perPage }))) as Record<string, unknown>[];
  return { items: rows.map(table.decode), page, perPage, total: await countUpTo(db, wanted) };
}

/** How many rows `wanted` finds, counted no further than anybody reads. */
export async function countUpTo(
  db: Queryable,
  wanted: Knex.QueryBuilder,
  most = COUNT_LIMIT + 1,
): Promise<number> {
  const some = wanted.clone().select(db.knex.raw('1 AS one')).limit(most).as('some');
  const rows = await db.knex.from(some).select<{ total: unknown }[]>(db.knex.raw('COUNT(*) AS total'));
  return Number(rows[0]?.total ?? 0);
}
