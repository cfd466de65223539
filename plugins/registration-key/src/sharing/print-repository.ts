import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const { instant, json, nullable, text } = column;

/** Which keys somebody may print for some minutes; the keys themselves are not in here. */
export interface PrintJob {
  id: string;
  keyIds: string[];
  madeBy: string | null;
  until: number;
}

const prints = defineTable('invite_print', {
  id: text,
  keyIds: json<string[]>(),
  madeBy: nullable(text),
  until: instant,
});

export async function insertPrint(tx: Tx, job: PrintJob): Promise<void> {
  await tx.knex(prints.name).insert(prints.encode(job));
}

export async function findPrint(db: Queryable, id: string, now: number): Promise<PrintJob | null> {
  const row = (await db.knex(prints.name).where({ id }).where('until', '>', now).first()) as
    Record<string, unknown> | undefined;
  return row ? prints.decode(row) : null;
}

export const deleteEndedPrints = (tx: Tx, now: number): Promise<number> =>
  tx.knex(prints.name).where('until', '<=', now).delete();
