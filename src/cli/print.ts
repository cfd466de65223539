type Row = Record<string, unknown>;

/** People get a table or `name: value` lines; scripts get the value itself as one JSON document. */
export function formatted(value: unknown, { asJson }: { asJson: boolean }): string {
  if (asJson) return JSON.stringify(value, null, 2);
  if (typeof value === 'string') return value;
  const rows = rowsOf(value);
  if (rows) return rows.length === 0 ? '(none)' : table(rows);
  if (isRow(value)) return lines(value);
  return String(value);
}

const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function rowsOf(value: unknown): Row[] | null {
  const list = isRow(value) && Array.isArray(value['items']) ? (value['items'] as unknown[]) : value;
  return Array.isArray(list) ? list.map((item) => (isRow(item) ? item : { value: item })) : null;
}

function table(rows: Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, at) => Math.max(...cells.map((row) => (row[at] ?? '').length)));
  return cells
    .map((row) =>
      row
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function lines(row: Row): string {
  const width = Math.max(...Object.keys(row).map((name) => name.length));
  return Object.entries(row)
    .map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${cell(value)}`)
    .join('\n');
}

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
};
