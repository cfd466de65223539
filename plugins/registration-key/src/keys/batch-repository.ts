import { column, defineTable, type Queryable, type Sealed, type Tx } from 'latchkey/plugin-api';

const { bytes, instant, nullable, text, whole } = column;

/** Keys that were made together. */
export interface Batch {
  id: string;
  entityId: string;
  label: string;
  wanted: number;
  madeBy: string | null;
  at: number;
}

const batches = defineTable('invite_batch', {
  id: text,
  entityId: text,
  label: text,
  wanted: whole,
  madeBy: nullable(text),
  at: instant,
});
const sheets = defineTable('invite_batch', {
  sheetText: nullable(bytes),
  sheetNonce: nullable(bytes),
  sheetKey: nullable(whole),
  sheetUntil: nullable(instant),
});
const noSheet = { sheetText: null, sheetNonce: null, sheetKey: null, sheetUntil: null };

type Row = Record<string, unknown>;

export async function insertBatch(tx: Tx, batch: Batch): Promise<void> {
  await tx.knex(batches.name).insert(batches.encode(batch));
}

export async function findBatch(db: Queryable, id: string): Promise<Batch | null> {
  const row = (await db.knex(batches.name).select(batches.columns).where({ id }).first()) as Row | undefined;
  return row ? batches.decode(row) : null;
}

export async function keepSheet(tx: Tx, id: string, sealed: Sealed, until: number): Promise<void> {
  const { ciphertext: sheetText, nonce: sheetNonce, keyId: sheetKey } = sealed;
  await tx
    .knex(batches.name)
    .where({ id })
    .update(sheets.encode({ sheetText, sheetNonce, sheetKey, sheetUntil: until }));
}

export async function readSheet(db: Queryable, id: string, now: number): Promise<Sealed | null> {
  const row = (await db
    .knex(sheets.name)
    .select(sheets.columns)
    .where({ id })
    .where('sheet_until', '>', now)
    .first()) as Row | undefined;
  if (!row) return null;
  const { sheetText, sheetNonce, sheetKey } = sheets.decode(row);
  if (sheetText === null || sheetNonce === null || sheetKey === null) return null;
  return { keyId: sheetKey, nonce: sheetNonce, ciphertext: sheetText };
}

/** The links leave the database when their time is over. */
export async function forgetSheets(tx: Tx, now: number): Promise<void> {
  await tx.knex(sheets.name).where('sheet_until', '<=', now).update(sheets.encode(noSheet));
}
