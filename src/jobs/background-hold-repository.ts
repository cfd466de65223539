import type { Queryable, Tx } from '../db/database.ts';

export interface BackgroundHold {
  name: string;
  reason: string;
  since: number;
}

/** Stops events, jobs and mail on every node until it is released: after a restore, so that nothing is sent twice. */
export async function holdBackground(tx: Tx, hold: BackgroundHold): Promise<void> {
  await tx.knex('background_hold').insert(hold).onConflict('name').merge();
}

export const releaseBackground = (tx: Tx, name: string): Promise<number> =>
  tx.knex('background_hold').where({ name }).delete();

export async function listHolds(db: Queryable): Promise<BackgroundHold[]> {
  const rows = (await db.knex('background_hold').orderBy('since')) as (Omit<BackgroundHold, 'since'> & {
    since: unknown;
  })[];
  return rows.map((row) => ({ ...row, since: Number(row.since) }));
}
