import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const { flag, instant, json, nullable, oneOf, text, whole } = column;

export const undoActions = ['suspend', 'groups', 'delete'] as const;
/** Suspended; taken out of the key's groups; suspended now and forgotten when the time to turn it back is over. */
export type UndoAction = (typeof undoActions)[number];
export type UndoState = 'running' | 'done' | 'reversing' | 'reversed' | 'final';

/** A leak that is being undone, or was. */
export interface Undo {
  id: string;
  keyId: string;
  entityId: string;
  /** Only who came by this copy of the key. */
  variant: string | null;
  since: number;
  action: UndoAction;
  withDescendants: boolean;
  state: UndoState;
  orderedBy: string | null;
  orderedByName: string;
  at: number;
  reversibleUntil: number;
  finishedAt: number | null;
}

export type PersonState = 'waiting' | 'done' | 'skipped' | 'reversed' | 'deleted';

export interface UndonePerson {
  undoId: string;
  userId: string;
  keyId: string;
  /** 0 came by the key itself, 1 was invited by one of those, and so on. */
  depth: number;
  /** Had an account before, and is only taken out of what the key gave. */
  existed: boolean;
  state: PersonState;
  wasActive: boolean;
  /** What they were taken out of. */
  groupIds: string[];
  problem: string | null;
}

const undos = defineTable('invite_undo', {
  id: text,
  keyId: text,
  entityId: text,
  variant: nullable(text),
  since: instant,
  action: oneOf(...undoActions),
  withDescendants: flag,
  state: oneOf('running', 'done', 'reversing', 'reversed', 'final'),
  orderedBy: nullable(text),
  orderedByName: text,
  at: instant,
  reversibleUntil: instant,
  finishedAt: nullable(instant),
});

const people = defineTable('invite_undo_person', {
  undoId: text,
  userId: text,
  keyId: text,
  depth: whole,
  existed: flag,
  state: oneOf('waiting', 'done', 'skipped', 'reversed', 'deleted'),
  wasActive: flag,
  groupIds: json<string[]>(),
  problem: nullable(text),
});

type Row = Record<string, unknown>;
const CHUNK = 100;

export async function insertUndo(tx: Tx, undo: Undo, persons: readonly UndonePerson[]): Promise<void> {
  await tx.knex(undos.name).insert(undos.encode(undo));
  for (let from = 0; from < persons.length; from += CHUNK)
    await tx.knex(people.name).insert(persons.slice(from, from + CHUNK).map((one) => people.encode(one)));
}

export async function findUndo(db: Queryable, id: string): Promise<Undo | null> {
  const row = (await db.knex(undos.name).where({ id }).first()) as Row | undefined;
  return row ? undos.decode(row) : null;
}

export async function listUndos(db: Queryable, keyId: string): Promise<Undo[]> {
  const rows = (await db.knex(undos.name).where({ key_id: keyId }).orderBy('id', 'desc').limit(20)) as Row[];
  return rows.map(undos.decode);
}

/** What the job has to go on with: under way, or whose time to turn back is over. */
export async function listOpenUndos(db: Queryable, now: number): Promise<Undo[]> {
  const rows = (await db
    .knex(undos.name)
    .whereIn('state', ['running', 'reversing'])
    .orWhere((w) => void w.where({ state: 'done', action: 'delete' }).where('reversible_until', '<=', now))
    .orderBy('id')
    .limit(20)) as Row[];
  return rows.map(undos.decode);
}

/** From one state to the next, once. */
export async function moveUndo(
  tx: Tx,
  id: string,
  from: UndoState,
  to: Partial<Pick<Undo, 'state' | 'finishedAt'>>,
): Promise<boolean> {
  return (await tx.knex(undos.name).where({ id, state: from }).update(undos.encode(to))) === 1;
}

export async function listPeople(
  db: Queryable,
  undoId: string,
  { states, limit }: { states?: readonly PersonState[]; limit: number },
): Promise<UndonePerson[]> {
  const found = db.knex(people.name).where({ undo_id: undoId }).orderBy(['depth', 'user_id']).limit(limit);
  if (states) void found.whereIn('state', [...states]);
  return ((await found) as Row[]).map(people.decode);
}

export async function movePerson(
  tx: Tx,
  { undoId, userId }: Pick<UndonePerson, 'undoId' | 'userId'>,
  from: PersonState,
  to: Partial<Pick<UndonePerson, 'state' | 'wasActive' | 'groupIds' | 'problem'>>,
): Promise<boolean> {
  const moved = await tx
    .knex(people.name)
    .where({ undo_id: undoId, user_id: userId, state: from })
    .update(people.encode(to));
  return moved === 1;
}

export async function countPeople(db: Queryable, undoId: string): Promise<Record<PersonState, number>> {
  const rows = await db
    .knex(people.name)
    .where({ undo_id: undoId })
    .groupBy('state')
    .select<Row[]>('state', db.knex.raw('count(*) as count'));
  const counts = { waiting: 0, done: 0, skipped: 0, reversed: 0, deleted: 0 };
  for (const row of rows) counts[row['state'] as PersonState] = Number(row['count']);
  return counts;
}
