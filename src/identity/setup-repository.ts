import type { Queryable, Tx } from '../db/database.ts';

/** The newest link is the only one that opens. */
export async function putOwnerToken(
  tx: Tx,
  { digest, expiresAt }: { digest: Buffer; expiresAt: number },
): Promise<void> {
  await tx.knex('setup').where({ id: 1 }).update({ token_digest: digest, token_expires_at: expiresAt });
}

export async function isOwnerToken(db: Queryable, digest: Buffer, now: number): Promise<boolean> {
  const row: unknown = await db
    .knex('setup')
    .where({ id: 1, token_digest: digest })
    .where('token_expires_at', '>', now)
    .first('id');
  return row !== undefined;
}

/** Of two who post the same link, one changes the row. */
export async function spendOwnerToken(tx: Tx, digest: Buffer, now: number): Promise<boolean> {
  const open = tx.knex('setup').where({ id: 1, token_digest: digest }).where('token_expires_at', '>', now);
  return (await open.update({ token_digest: null, token_expires_at: null })) === 1;
}

export async function isChecklistDismissed(db: Queryable): Promise<boolean> {
  const row: unknown = await db
    .knex('setup')
    .where({ id: 1 })
    .whereNotNull('checklist_dismissed_at')
    .first('id');
  return row !== undefined;
}

export async function dismissChecklist(tx: Tx, at: number): Promise<void> {
  await tx.knex('setup').where({ id: 1 }).update({ checklist_dismissed_at: at });
}
