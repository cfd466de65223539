import type { Queryable, Tx } from './database.ts';
import type { Row } from './dialect.ts';
import { once, quoted } from './written-out.ts';

/** One row, or several with the same columns, past the query builder: see `Queryable.rows`. */
export async function insertRows(
  tx: Tx,
  table: string,
  rows: readonly Row[],
  { unless = [] }: { unless?: readonly string[] } = {},
): Promise<void> {
  if (rows.length > 0) await tx.insert({ table, rows, unless });
}

/** A row that has these values, past the query builder. */
export async function findRow(
  db: Queryable,
  table: string,
  columns: readonly string[],
  where: Row,
): Promise<Row | undefined> {
  const names = Object.keys(where);
  const sql = once(`? ${table} ${columns.join()} ${names.join()}`, () => {
    const conditions = names.map((name) => `${quoted(name)} = ?`).join(' AND ');
    return `SELECT ${columns.map(quoted).join(', ')} FROM ${table} WHERE ${conditions} LIMIT 1`;
  });
  const [row] = await db.rows(sql, Object.values(where));
  return row;
}
