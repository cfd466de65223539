import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import { binOf, type Rules, type Target } from './documents.ts';

const { bytes, instant, json, text, whole } = column;

/** There is one of each. */
const PLACE = 1;

const states = defineTable('hub_trust_state', { place: whole, turn: whole, wanted: json<Partial<Rules>>() });
const keys = defineTable('hub_trust_key', {
  id: text,
  role: text,
  publicKey: text,
  boxText: bytes,
  boxNonce: bytes,
  boxKey: whole,
  madeAt: instant,
});
const documents = defineTable('hub_trust_document', {
  role: text,
  version: whole,
  body: bytes,
  signedAt: instant,
});
const targets = defineTable('hub_trust_target', {
  path: text,
  bin: text,
  length: whole,
  sha256: text,
  custom: json<Record<string, unknown>>(),
  namedAt: instant,
});

type Row = Record<string, unknown>;
export type StoredSigner = ReturnType<typeof keys.decode>;
export type StoredDocument = ReturnType<typeof documents.decode>;

/** The first statement of whoever signs: the others wait, and begin from what they see then. */
export async function takeTurn(tx: Tx): Promise<void> {
  await tx.knex(states.name).where({ place: PLACE }).increment('turn', 1);
}

export async function wantedRules(db: Queryable): Promise<Partial<Rules>> {
  const row = (await db.knex(states.name).where({ place: PLACE }).first()) as Row | undefined;
  return row ? states.decode(row).wanted : {};
}

export async function wantRules(tx: Tx, wanted: Partial<Rules>): Promise<void> {
  await tx.knex(states.name).where({ place: PLACE }).update(states.encode({ wanted }));
}

export async function insertSigner(tx: Tx, key: StoredSigner): Promise<void> {
  await tx.knex(keys.name).insert(keys.encode(key));
}

export async function listSigners(db: Queryable): Promise<StoredSigner[]> {
  return ((await db.knex(keys.name).orderBy('made_at', 'desc')) as Row[]).map(keys.decode);
}

/** The key that publishes may wait for a ceremony longer than the others. */
export async function deleteSignersExcept(tx: Tx, publicKeys: readonly string[]): Promise<void> {
  await tx
    .knex(keys.name)
    .whereNot({ role: 'publisher' })
    .whereNotIn('public_key', [...publicKeys])
    .delete();
}

export async function insertDocument(tx: Tx, document: StoredDocument): Promise<void> {
  await tx.knex(documents.name).insert(documents.encode(document));
}

export async function findDocument(
  db: Queryable,
  role: string,
  version?: number,
): Promise<StoredDocument | null> {
  const all = db.knex(documents.name).where({ role }).orderBy('version', 'desc');
  const row = (await (version === undefined ? all : all.where({ version })).first()) as Row | undefined;
  return row ? documents.decode(row) : null;
}

/** The newest of each, without their bodies. */
export async function newestVersions(
  db: Queryable,
): Promise<Map<string, { version: number; signedAt: number }>> {
  const rows = await db
    .knex(documents.name)
    .select('role')
    .max({ version: 'version', signed_at: 'signed_at' })
    .groupBy<Row[]>('role');
  return new Map(
    rows.map((row) => [
      String(row['role']),
      { version: Number(row['version']), signedAt: Number(row['signed_at']) },
    ]),
  );
}

/** Roots stay for ever: whoever comes late walks from the first to the last. */
export async function deleteOldDocuments(tx: Tx, role: string, before: number): Promise<void> {
  await tx.knex(documents.name).where({ role }).where('version', '<', before).delete();
}

export async function putTarget(tx: Tx, target: Target, now: number): Promise<void> {
  await tx
    .knex(targets.name)
    .insert(targets.encode({ ...target, bin: binOf(target.path), namedAt: now }))
    .onConflict('path')
    .merge();
}

export async function deleteTarget(tx: Tx, path: string): Promise<boolean> {
  return (await tx.knex(targets.name).where({ path }).delete()) > 0;
}

export async function listTargets(db: Queryable, bin: string): Promise<Target[]> {
  return ((await db.knex(targets.name).where({ bin }).orderBy('path')) as Row[]).map(targets.decode);
}

export async function isTarget(db: Queryable, path: string): Promise<boolean> {
  return (await db.knex(targets.name).where({ path }).first('path')) !== undefined;
}

export async function listBins(db: Queryable): Promise<string[]> {
  const rows = await db.knex(targets.name).distinct<{ bin: string }[]>('bin');
  return rows.map(({ bin }) => bin);
}
