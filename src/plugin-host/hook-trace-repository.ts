import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, text, whole } from '../db/table.ts';
import type { TracedStep } from '../hooks/index.ts';

const traces = defineTable('hook_trace', {
  id: text,
  userId: text,
  at: instant,
  method: text,
  path: text,
  status: whole,
  tookMs: whole,
  steps: json<readonly TracedStep[]>(),
});
export type KeptTrace = ReturnType<typeof traces.decode>;

const KEPT = 20;

/** Each person's newest few are kept. */
export async function insertTrace(tx: Tx, trace: KeptTrace): Promise<void> {
  await tx.knex(traces.name).insert(traces.encode(trace));
  const { userId } = trace;
  const old: { id: string }[] = await tx
    .knex(traces.name)
    .where({ user_id: userId })
    .orderBy('id', 'desc')
    .offset(KEPT)
    .limit(KEPT)
    .select('id');
  if (old.length > 0)
    await tx
      .knex(traces.name)
      .whereIn(
        'id',
        old.map(({ id }) => id),
      )
      .delete();
}

export async function listTraces(db: Queryable, userId: string): Promise<KeptTrace[]> {
  const rows = (await db.knex(traces.name).where({ user_id: userId }).orderBy('id', 'desc')) as Record<
    string,
    unknown
  >[];
  return rows.map(traces.decode);
}

export async function findTrace(
  db: Queryable,
  { id, userId }: { id: string; userId: string },
): Promise<KeptTrace | null> {
  const row = (await db.knex(traces.name).where({ id, user_id: userId }).first()) as
    Record<string, unknown> | undefined;
  return row ? traces.decode(row) : null;
}
