/** How one column travels between a row and a value. */
export interface Codec<T> {
  encode(this: void, value: T): unknown;
  decode(this: void, stored: unknown): T;
}

type Columns = Record<string, Codec<unknown>>;
type ValueOf<C> = C extends Codec<infer T> ? T : never;
type RecordOf<C extends Columns> = { -readonly [K in keyof C]: ValueOf<C[K]> };

export interface Table<R> {
  readonly name: string;
  /** A whole value or some of its fields, as a row. */
  encode(value: Partial<R>): Record<string, unknown>;
  decode(this: void, row: Record<string, unknown>): R;
  /** The columns, qualified, for joins. */
  readonly columns: readonly string[];
}

/** Declares a table once: its columns in the code's spelling, and how each is stored. `ticketId` is the column `ticket_id`. */
export function defineTable<C extends Columns>(name: string, columns: C): Table<RecordOf<C>> {
  const fields = Object.keys(columns).map((field) => ({
    field,
    column: snakeCase(field),
    codec: codecOf(columns, field),
  }));
  const byField = new Map(fields.map((entry) => [entry.field, entry]));
  return {
    name,
    columns: fields.map(({ column }) => `${name}.${column}`),
    encode(value) {
      const row: Record<string, unknown> = {};
      for (const [field, content] of Object.entries(value)) {
        const entry = byField.get(field);
        if (entry && content !== undefined) row[entry.column] = entry.codec.encode(content);
      }
      return row;
    },
    decode(row) {
      return Object.fromEntries(
        fields.map(({ field, column, codec }) => [field, codec.decode(row[column])]),
      ) as RecordOf<C>;
    },
  };
}

const codecOf = (columns: Columns, field: string): Codec<unknown> => columns[field] as Codec<unknown>;

export const snakeCase = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const wrong = (expected: string, stored: unknown): never => {
  throw new TypeError(`The database holds ${typeof stored} where ${expected} should be`);
};

const asString = (stored: unknown): string => (typeof stored === 'string' ? stored : wrong('text', stored));
const asNumber = (stored: unknown): number => {
  const number = typeof stored === 'number' ? stored : Number(stored);
  return stored !== null && stored !== '' && Number.isSafeInteger(number)
    ? number
    : wrong('a whole number', stored);
};
const asBytes = (stored: unknown): Buffer =>
  stored instanceof Uint8Array ? Buffer.from(stored) : wrong('bytes', stored);

export const text: Codec<string> = { encode: (value) => value, decode: asString };
export const whole: Codec<number> = { encode: (value) => value, decode: asNumber };
/** Milliseconds UTC. */
export const instant: Codec<number> = whole;
export const flag: Codec<boolean> = {
  encode: (value) => (value ? 1 : 0),
  decode: (stored) => asNumber(stored) === 1,
};
export const bytes: Codec<Buffer> = { encode: (value) => value, decode: asBytes };

/** Shape is the writer's promise: what is decoded was encoded by this same code. */
export const json = <T>(): Codec<T> => ({
  encode: (value) => JSON.stringify(value),
  decode: (stored) => JSON.parse(asString(stored)) as T,
});

/** For what is fetched again anyway: what is damaged counts as not there. */
export const cached = <T>(): Codec<T | null> => ({
  encode: (value) => (value === null ? null : JSON.stringify(value)),
  decode: (stored) => {
    try {
      return stored === null || stored === undefined ? null : (JSON.parse(asString(stored)) as T);
    } catch {
      return null;
    }
  },
});

export const oneOf = <const T extends string>(...allowed: T[]): Codec<T> => ({
  encode: (value) => value,
  decode: (stored) => allowed.find((one) => one === stored) ?? wrong(allowed.join(' | '), stored),
});

export const nullable = <T>({ encode, decode }: Codec<T>): Codec<T | null> => ({
  encode: (value) => (value === null ? null : encode(value)),
  decode: (stored) => (stored === null || stored === undefined ? null : decode(stored)),
});
