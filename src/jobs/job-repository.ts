import type { Database, Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, text, whole } from '../db/table.ts';

const jobs = defineTable('job', {
  id: text,
  schedule: text,
  nextAt: instant,
  leaseUntil: instant,
  fence: whole,
  runs: whole,
  failures: whole,
  startedAt: nullable(instant),
  finishedAt: nullable(instant),
  lastError: nullable(text),
});

export type JobRow = ReturnType<typeof jobs.decode>;

export interface JobLease {
  id: string;
  fence: number;
}

/** A job whose schedule was changed starts from the new one. */
export async function enrolJob(
  tx: Tx,
  { id, schedule, nextAt }: { id: string; schedule: string; nextAt: number },
): Promise<void> {
  const changed = await tx
    .knex(jobs.name)
    .where({ id })
    .whereNot({ schedule })
    .update({ schedule, next_at: nextAt });
  if (changed > 0) return;
  const row = { id, schedule, nextAt, leaseUntil: 0, fence: 0, runs: 0, failures: 0 };
  await tx.knex(jobs.name).insert(jobs.encode(row)).onConflict('id').ignore();
}

export async function findJob(db: Queryable, id: string): Promise<JobRow | null> {
  const row = (await db.knex(jobs.name).where({ id }).first()) as Record<string, unknown> | undefined;
  return row ? jobs.decode(row) : null;
}

/** Takes the turn that is due, for one process in the cluster; null when it is not due or somebody has it. */
export function takeTurn(
  db: Database,
  { id, now, nextAt, leaseMs }: { id: string; now: number; nextAt: number; leaseMs: number },
): Promise<JobLease | null> {
  return db.transaction(async (tx) => {
    const taken = await tx
      .knex(jobs.name)
      .where({ id })
      .where('next_at', '<=', now)
      .where('lease_until', '<=', now)
      .whereNotExists(tx.knex('background_hold').select(tx.knex.raw('1')))
      .update({
        next_at: nextAt,
        lease_until: now + leaseMs,
        started_at: now,
        fence: tx.knex.raw('fence + 1'),
      });
    const row = taken === 1 ? await findJob(tx, id) : null;
    return row && { id, fence: row.fence };
  });
}

/** Puts a turn that was missed off to the next time. */
export const putOff = (
  tx: Tx,
  { id, missed, nextAt }: { id: string; missed: number; nextAt: number },
): Promise<number> => tx.knex(jobs.name).where({ id, next_at: missed }).update({ next_at: nextAt });

export async function renewLease(tx: Tx, { id, fence }: JobLease, until: number): Promise<boolean> {
  return (await tx.knex(jobs.name).where({ id, fence }).update({ lease_until: until })) === 1;
}

export async function endTurn(
  tx: Tx,
  { id, fence }: JobLease,
  { at, error }: { at: number; error: string | null },
): Promise<void> {
  await tx
    .knex(jobs.name)
    .where({ id, fence })
    .update({
      lease_until: 0,
      finished_at: at,
      last_error: error,
      runs: tx.knex.raw('runs + 1'),
      failures: error === null ? 0 : tx.knex.raw('failures + 1'),
    });
}

export async function listJobs(db: Queryable): Promise<JobRow[]> {
  const rows = (await db.knex(jobs.name).orderBy('id')) as Record<string, unknown>[];
  return rows.map(jobs.decode);
}
