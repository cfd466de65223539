import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, nullable, oneOf, text, whole } from '../db/table.ts';
import { isOver, SILENT_MS, steps, type Operation } from './operation.ts';

const operations = defineTable('marketplace_operation', {
  id: text,
  pluginId: text,
  name: text,
  version: text,
  fromVersion: nullable(text),
  step: oneOf(...steps),
  got: whole,
  size: whole,
  problem: nullable(text),
  params: json<Operation['params']>(),
  startedAt: instant,
  beatAt: instant,
  endedAt: nullable(instant),
  startedBy: text,
  machine: text,
  pid: whole,
});

type Row = Record<string, unknown>;

export async function insertOperation(tx: Tx, { from, holder, ...operation }: Operation): Promise<void> {
  await tx.knex(operations.name).insert(operations.encode({ ...operation, ...holder, fromVersion: from }));
}

export async function findOperation(db: Queryable, id: string): Promise<Operation | null> {
  const row = (await db.knex(operations.name).where({ id }).first()) as Row | undefined;
  return row ? operationFrom(row) : null;
}

/** What is under way, on whichever node. */
export async function listUnderWay(db: Queryable, now: number): Promise<Operation[]> {
  const rows = (await db
    .knex(operations.name)
    .whereNull('ended_at')
    .where('beat_at', '>', now - SILENT_MS)
    .orderBy('started_at')) as Row[];
  return rows.map(operationFrom).filter((operation) => !isOver(operation, now));
}

export async function noteStep(
  tx: Tx,
  id: string,
  change: Partial<Pick<Operation, 'step' | 'got' | 'problem' | 'params' | 'beatAt' | 'endedAt'>>,
): Promise<void> {
  await tx.knex(operations.name).where({ id, ended_at: null }).update(operations.encode(change));
}

function operationFrom(row: Row): Operation {
  const { fromVersion, machine, pid, ...operation } = operations.decode(row);
  return { ...operation, from: fromVersion, holder: { machine, pid } };
}
