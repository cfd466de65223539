import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import type { KeyDraft } from './key-terms.ts';

const { instant, json, nullable, text, whole } = column;

/** Settings under a name, to begin a key with. */
export interface Preset {
  id: string;
  entityId: string;
  name: string;
  nameNorm: string;
  draft: KeyDraft;
  /** How long keys made from it live; null is for ever. */
  lifeMs: number | null;
  madeBy: string | null;
  madeByName: string;
  createdAt: number;
  updatedAt: number;
}

const presets = defineTable('invite_preset', {
  id: text,
  entityId: text,
  name: text,
  nameNorm: text,
  draft: json<KeyDraft>(),
  lifeMs: nullable(whole),
  madeBy: nullable(text),
  madeByName: text,
  createdAt: instant,
  updatedAt: instant,
});

type Row = Record<string, unknown>;
const MOST = 200;

export async function listPresets(db: Queryable, entities: 'all' | readonly string[]): Promise<Preset[]> {
  const query = db.knex(presets.name).select(presets.columns).orderBy('name_norm').limit(MOST);
  if (entities !== 'all') void query.whereIn('entity_id', [...entities]);
  return ((await query) as Row[]).map(presets.decode);
}

export async function findPreset(db: Queryable, id: string): Promise<Preset | null> {
  const row = (await db.knex(presets.name).select(presets.columns).where({ id }).first()) as Row | undefined;
  return row ? presets.decode(row) : null;
}

/** A name is taken once in an entity; a second preset of that name violates the unique key. */
export async function insertPreset(tx: Tx, preset: Preset): Promise<void> {
  await tx.knex(presets.name).insert(presets.encode(preset));
}

export async function renamePreset(
  tx: Tx,
  id: string,
  { name, nameNorm, now }: { name: string; nameNorm: string; now: number },
): Promise<boolean> {
  const renamed = presets.encode({ name, nameNorm, updatedAt: now });
  return (await tx.knex(presets.name).where({ id }).update(renamed)) === 1;
}

export async function deletePreset(tx: Tx, id: string): Promise<boolean> {
  return (await tx.knex(presets.name).where({ id }).delete()) === 1;
}
