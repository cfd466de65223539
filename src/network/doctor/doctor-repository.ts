import type { Queryable, Tx } from '../../db/database.ts';
import { defineTable, instant, json, nullable, whole } from '../../db/table.ts';
import type { Finding } from './doctor.ts';

const runs = defineTable('network_doctor', {
  place: whole,
  ranAt: instant,
  findings: json<Finding[]>(),
  beforeThat: nullable(json<Finding[]>()),
});
const PLACE = 1;
export type DoctorRun = Omit<ReturnType<typeof runs.decode>, 'place'>;

export async function findRun(db: Queryable): Promise<DoctorRun | null> {
  const row = (await db.knex(runs.name).where({ place: PLACE }).first()) as
    Record<string, unknown> | undefined;
  return row ? runs.decode(row) : null;
}

export async function storeRun(tx: Tx, run: DoctorRun): Promise<void> {
  await tx
    .knex(runs.name)
    .insert(runs.encode({ ...run, place: PLACE }))
    .onConflict('place')
    .merge();
}
