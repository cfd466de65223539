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

export function once(key: string, write: () => string): string {
  const known = written.get(key);
  if (known !== undefined) return known;
  if (written.size >= MOST_WRITTEN) written.clear();
  const sql = write();
  written.set(key, sql);
  return sql;
}

const valuesOf = (row: Row, columns: readonly string[]): unknown[] => columns.map((column) => row[column]);

/** Both engines take backticks. */
export const quoted = (name: string): string =>
  name
    .split('.')
    .map((part) => `\`${part}\``)
    .join('.');
