import type { Queryable, Tx } from '../db/database.ts';

interface SetupRow {
  token_digest: Uint8Array | null;
  token_expires_at: number | null;
  checklist_dismissed_at: number | null;
}

/** The newest link is the only one that opens. */
export async function putOwnerToken(
  tx: Tx,
  { digest, expiresAt }: { digest: Buffer; expiresAt: number },
): Promise<void> {
  await tx.knex('setup').where({ id: 1 }).update({ token_digest: digest, token_expires_at: expiresAt });
}

export async function isOwnerToken(db: Queryable, digest: Buffer, now: number): Promise<boolean> {
  const row = await db
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
  const row = (await db.knex('setup').where({ id: 1 }).first('checklist_dismissed_at')) as
    SetupRow | undefined;
  return row?.checklist_dismissed_at != null;
}

export async function dismissChecklist(tx: Tx, at: number): Promise<void> {
  await tx.knex('setup').where({ id: 1 }).update({ checklist_dismissed_at: at });
}
