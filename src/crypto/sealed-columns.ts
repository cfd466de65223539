import type { Queryable } from '../db/database.ts';
import type { KeyRing, Sealed } from './key-ring.ts';

type Row = Readonly<Record<string, unknown>>;

/** Where sealed values lie in the database, and how each is opened: told by whoever seals them, so that all can be tried. */
export interface SealedColumns {
  table: string;
  /** The column that rows are told apart by. */
  id: string;
  keys: Pick<KeyRing, 'open'>;
  /** Null where a row has none. */
  boxOf: (row: Row) => Sealed | null;
  contextOf: (row: Row) => string;
}

/** What became of trying all of one kind. */
export interface TriedColumns {
  table: string;
  tried: number;
  /** Ids of the first rows that do not open. */
  shut: string[];
}

const BATCH = 500;
const MOST_NAMED = 20;

/** The three columns in which most keep a box: `<name>_text`, `<name>_nonce`, `<name>_key`. */
export const boxIn =
  (name: string): SealedColumns['boxOf'] =>
  (row) =>
    boxOf(row, { ciphertext: `${name}_text`, nonce: `${name}_nonce`, keyId: `${name}_key` });

export function boxOf(
  row: Row,
  columns: { ciphertext: string; nonce: string; keyId: string },
): Sealed | null {
  const [ciphertext, nonce, keyId] = [row[columns.ciphertext], row[columns.nonce], row[columns.keyId]];
  if (!(ciphertext instanceof Uint8Array) || !(nonce instanceof Uint8Array)) return null;
  return { ciphertext: Buffer.from(ciphertext), nonce: Buffer.from(nonce), keyId: Number(keyId) };
}

/** Opens every value and looks at none. */
export async function trySealed(db: Queryable, columns: SealedColumns): Promise<TriedColumns> {
  const { table, id } = columns;
  const found: TriedColumns = { table, tried: 0, shut: [] };
  for (let after: unknown = null; ;) {
    const batch = db.knex(table).orderBy(id).limit(BATCH);
    const rows = (await (after === null ? batch : batch.where(id, '>', after as string))) as Row[];
    for (const row of rows) tryOne(row, columns, found);
    if (rows.length < BATCH) return found;
    after = rows.at(-1)?.[id];
  }
}

function tryOne(row: Row, { id, keys, boxOf: read, contextOf }: SealedColumns, found: TriedColumns): void {
  const box = read(row);
  if (!box) return;
  found.tried += 1;
  try {
    keys.open(box, contextOf(row));
  } catch {
    if (found.shut.length < MOST_NAMED) found.shut.push(String(row[id]));
  }
}
