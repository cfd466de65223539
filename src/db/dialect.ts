export type Row = Record<string, unknown>;

/** What a statement came to: rows that it read, or how many it changed. */
export interface Answer {
  rows: Row[];
  changed: number;
  /** What `raised` asks for. */
  raisedTo: number | null;
}

/** Everything in which the two engines differ has a name here; there is no `if (engine === …)` elsewhere. */
export interface Dialect {
  readonly name: 'sqlite' | 'mysql';
  /** Opens a transaction that writes; null where a connection that writes is always in one. */
  readonly begin: string | null;
  /** Runs a statement that is written out, on a connection of the pool, as it is. */
  run(connection: unknown, sql: string, values: readonly unknown[]): Answer | Promise<Answer>;
  /** Turns the `{type}` words of our DDL into what the engine calls them. */
  ddl(statement: string): string;
  /** For an UPDATE of one row that adds `by`, a whole number, to `column` and is to say what it came to. */
  raised(counter: { column: string; by: number }): { assignment: string; ending: string };
  /** The end of an INSERT that leaves a row alone which has the same values in these columns. */
  unlessThere(columns: readonly string[]): string;
  /** The statement was thrown away by the engine and the whole transaction may be run again. */
  isTransactionLost(error: unknown): boolean;
  /** A UNIQUE or PRIMARY KEY constraint refused the row. */
  isDuplicate(error: unknown): boolean;
  /** The table or the column of a repeated DDL step is there already. */
  isAlreadyThere(error: unknown): boolean;
  /** Full-text search over a folded `search_text` column. */
  readonly search: SearchDialect;
}

export interface SearchDialect {
  /** DDL that gives `table` (with `number` and `search_text`) a full-text index; one statement each. */
  createIndex(table: string): string[];
  /** Restricts a query on `table` to the rows in which each word begins some word of `search_text`. */
  condition(table: string, words: readonly string[]): { sql: string; bindings: string[] };
}

/** The names our DDL uses for types. `{id}` is a ULID, `{instant}` milliseconds UTC, `{digest}` 32 bytes. */
const typeWords = ['id', 'instant', 'digest', 'bytes', 'text', 'flag', 'number'] as const;
type TypeWord = (typeof typeWords)[number];

export const ddlWith =
  (types: Record<TypeWord, string>, tableSuffix: string) =>
  (statement: string): string => {
    const typed = statement.replace(/\{(\w+)\}/g, (whole, word: string) =>
      isTypeWord(word) ? types[word] : whole,
    );
    return /^\s*create table/i.test(typed) ? `${typed.trimEnd()}${tableSuffix}` : typed;
  };

const isTypeWord = (word: string): word is TypeWord => (typeWords as readonly string[]).includes(word);

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

export const errnoOf = (error: unknown): number =>
  error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
