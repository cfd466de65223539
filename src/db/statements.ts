import type { Queryable, Tx } from './database.ts';
import type { Dialect, Row } from './dialect.ts';

/** Statements that were written out, by what they are made of: as many as there are call sites. */
const written = new Map<string, string>();
const MOST_WRITTEN = 2_000;

export interface Insert {
  table: string;
  rows: readonly Row[];
  /** A row with the same values in these columns stays as it is. */
  unless: readonly string[];
}

/** One row, or several with the same columns, past the query builder: see `Queryable.rows`. */
export async function insertRows(
  tx: Tx,
  table: string,
  rows: readonly Row[],
  { unless = [] }: { unless?: readonly string[] } = {},
): Promise<void> {
  if (rows.length > 0) await tx.insert({ table, rows, unless });
}

/** As text, with the values for its places. */
export function insertStatement(dialect: Dialect, { table, rows, unless }: Insert): [string, unknown[]] {
  const columns = Object.keys(rows[0] ?? {});
  const key = `+ ${dialect.name} ${table} ${String(rows.length)} ${columns.join()} ${unless.join()}`;
  const sql = once(key, () => {
    const places = `(${columns.map(() => '?').join(', ')})`;
    const all = rows.map(() => places).join(', ');
    const leaving = unless.length === 0 ? '' : ` ${dialect.unlessThere(unless)}`;
    return `INSERT INTO ${table} (${columns.map(quoted).join(', ')}) VALUES ${all}${leaving}`;
  });
  return [sql, rows.flatMap((row) => valuesOf(row, columns))];
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

function once(key: string, write: () => string): string {
  const known = written.get(key);
  if (known !== undefined) return known;
  if (written.size >= MOST_WRITTEN) written.clear();
  const sql = write();
  written.set(key, sql);
  return sql;
}

const valuesOf = (row: Row, columns: readonly string[]): unknown[] => columns.map((column) => row[column]);

/** Both engines take backticks. */
const quoted = (name: string): string =>
  name
    .split('.')
    .map((part) => `\`${part}\``)
    .join('.');
