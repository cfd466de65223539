import type { Tx } from 'latchkey/plugin-api';

/** Something about a key changed outside its row: whoever judged the old version judges again. */
export async function raiseVersion(tx: Tx, id: string, version: number, now: number): Promise<boolean> {
  const raised = await tx
    .knex('invite_key')
    .where({ id, version })
    .update({ version: tx.knex.raw('version + 1'), updated_at: now });
  return raised === 1;
}

/** A longer life for a key that was mailed to one person; never a shorter one, and never for a key that was closed meanwhile. */
export async function renewExpiry(tx: Tx, id: string, expiresAt: number, now: number): Promise<boolean> {
  const renewed = await tx
    .knex('invite_key')
    .where({ id })
    .whereNull('revoked_at')
    .where('expires_at', '>', now)
    .where('expires_at', '<', expiresAt)
    .update({ expires_at: expiresAt, updated_at: now, version: tx.knex.raw('version + 1') });
  return renewed === 1;
}
