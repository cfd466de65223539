import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import type { Step, StepDraft, WalkStep } from './step.ts';

const { bytes, flag, instant, nullable, oneOf, text, whole } = column;

const steps = defineTable('invite_step', {
  id: text,
  entityId: text,
  phase: oneOf('before', 'after'),
  everywhere: flag,
  position: whole,
  title: text,
  body: text,
  agreement: text,
  edition: whole,
  createdAt: instant,
  updatedAt: instant,
});

/** Who has walked past what: a browser before there is an account, the account afterwards. */
const taken = defineTable('invite_step_taken', {
  id: text,
  keyId: text,
  step: text,
  edition: whole,
  walker: bytes,
  userId: nullable(text),
  at: instant,
});

type Row = Record<string, unknown>;

const LIST = `SELECT ${steps.columns.join(', ')} FROM ${steps.name} WHERE deleted_at IS NULL ORDER BY phase, position, id`;

export async function listSteps(db: Queryable): Promise<Step[]> {
  return (await db.rows(LIST)).map(steps.decode);
}

export async function findStep(db: Queryable, id: string): Promise<Step | null> {
  const row = (await db
    .knex(steps.name)
    .select(steps.columns)
    .where({ id })
    .whereNull('deleted_at')
    .first()) as Row | undefined;
  return row ? steps.decode(row) : null;
}

export async function insertStep(tx: Tx, step: Step): Promise<void> {
  await tx.knex(steps.name).insert(steps.encode(step));
}

/** False when somebody else was faster. */
export async function updateStep(
  tx: Tx,
  { id, edition }: Pick<Step, 'id' | 'edition'>,
  draft: StepDraft,
  now: number,
): Promise<boolean> {
  const written = await tx
    .knex(steps.name)
    .where({ id, edition })
    .whereNull('deleted_at')
    .update(steps.encode({ ...draft, edition: edition + 1, updatedAt: now }));
  return written === 1;
}

export async function placeStep(tx: Tx, id: string, position: number): Promise<void> {
  await tx.knex(steps.name).where({ id }).update(steps.encode({ position }));
}

/** Gone from every walk; who agreed to it stays on record. */
export async function removeStep(tx: Tx, id: string, now: number): Promise<boolean> {
  const gone = await tx.knex(steps.name).where({ id }).whereNull('deleted_at').update({ deleted_at: now });
  return gone === 1;
}

export async function listTaken(
  db: Queryable,
  keyId: string,
  walkers: readonly Buffer[],
): Promise<Set<string>> {
  const rows = await db
    .knex(taken.name)
    .where({ key_id: keyId })
    .whereIn('walker', [...walkers])
    .select<Row[]>('step', 'edition');
  return new Set(rows.map(({ step, edition }) => markOf({ id: String(step), edition: Number(edition) })));
}

export const markOf = ({ id, edition }: Pick<WalkStep, 'id' | 'edition'>): string =>
  `${id}@${String(edition)}`;

export interface Taken {
  id: string;
  keyId: string;
  step: string;
  edition: number;
  walker: Buffer;
  userId: string | null;
  at: number;
}

export async function insertTaken(tx: Tx, one: Taken): Promise<void> {
  await tx.knex(taken.name).insert(taken.encode(one));
}

/** What a browser agreed to belongs to the account that came of it. */
export async function giveTakenTo(
  tx: Tx,
  keyId: string,
  walkers: readonly Buffer[],
  userId: string,
): Promise<void> {
  await tx
    .knex(taken.name)
    .where({ key_id: keyId })
    .whereNull('user_id')
    .whereIn('walker', [...walkers])
    .update({ user_id: userId });
}

export async function listTakenBy(
  db: Queryable,
  keyId: string,
  userIds: readonly string[],
): Promise<Taken[]> {
  if (userIds.length === 0) return [];
  const rows = (await db
    .knex(taken.name)
    .select(taken.columns)
    .where({ key_id: keyId })
    .whereIn('user_id', [...userIds])
    .orderBy('at')) as Row[];
  return rows.map(taken.decode);
}

/** Of people who never finished joining. */
export async function forgetStrays(tx: Tx, before: number, limit: number): Promise<void> {
  const rows = await tx
    .knex(taken.name)
    .whereNull('user_id')
    .where('at', '<', before)
    .limit(limit)
    .select<Row[]>('id');
  if (rows.length === 0) return;
  await tx
    .knex(taken.name)
    .whereIn(
      'id',
      rows.map(({ id }) => String(id)),
    )
    .delete();
}

/** Also of pages that are gone: people agreed to them. */
export async function titlesOf(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .knex(steps.name)
    .whereIn('id', [...new Set(ids)])
    .select<Row[]>('id', 'title');
  return new Map(rows.map(({ id, title }) => [String(id), String(title)]));
}
