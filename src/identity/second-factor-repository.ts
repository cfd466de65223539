import type { Sealed } from '../crypto/key-ring.ts';
import type { Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, instant, nullable, text, whole } from '../db/table.ts';

const factors = defineTable('second_factors', {
  userId: text,
  keyId: whole,
  nonce: bytes,
  ciphertext: bytes,
  confirmedAt: nullable(instant),
  lastStep: whole,
  createdAt: instant,
});

export type SecondFactor = ReturnType<typeof factors.decode>;

type Row = Record<string, unknown>;

export async function hasSecondFactor(db: Queryable, userId: string): Promise<boolean> {
  const row: unknown = await db
    .knex(factors.name)
    .where({ user_id: userId })
    .whereNotNull('confirmed_at')
    .first('user_id');
  return row !== undefined;
}

export async function findSecondFactor(db: Queryable, userId: string): Promise<SecondFactor | null> {
  const row = (await db.knex(factors.name).first().where({ user_id: userId })) as Row | undefined;
  return row ? factors.decode(row) : null;
}

/** Not in force before a first code has confirmed it. */
export async function putUnconfirmedFactor(
  tx: Tx,
  userId: string,
  sealed: Sealed,
  now: number,
): Promise<void> {
  await tx.knex(factors.name).where({ user_id: userId }).whereNull('confirmed_at').delete();
  await tx
    .knex(factors.name)
    .insert(factors.encode({ userId, ...sealed, confirmedAt: null, lastStep: 0, createdAt: now }))
    .onConflict('user_id')
    .ignore();
}

/** Each step of time is good for one code: of two requests with the same one, one changes a row. */
export async function useStep(tx: Tx, userId: string, step: number): Promise<boolean> {
  const used = await tx
    .knex(factors.name)
    .where({ user_id: userId })
    .where('last_step', '<', step)
    .update({ last_step: step });
  return used === 1;
}

export async function confirmFactor(tx: Tx, userId: string, now: number): Promise<boolean> {
  const rows = tx.knex(factors.name).where({ user_id: userId }).whereNull('confirmed_at');
  return (await rows.update({ confirmed_at: now })) === 1;
}

export async function deleteSecondFactor(tx: Tx, userId: string): Promise<boolean> {
  await tx.knex('recovery_codes').where({ user_id: userId }).delete();
  return (await tx.knex(factors.name).where({ user_id: userId }).delete()) === 1;
}

export async function replaceRecoveryCodes(
  tx: Tx,
  userId: string,
  digests: readonly Buffer[],
): Promise<void> {
  await tx.knex('recovery_codes').where({ user_id: userId }).delete();
  await tx
    .knex('recovery_codes')
    .insert(digests.map((digest) => ({ digest, user_id: userId, used_at: null })));
}

export async function useRecoveryCode(tx: Tx, userId: string, digest: Buffer, now: number): Promise<boolean> {
  const unused = tx.knex('recovery_codes').where({ digest, user_id: userId }).whereNull('used_at');
  return (await unused.update({ used_at: now })) === 1;
}

export async function countRecoveryCodes(db: Queryable, userId: string): Promise<number> {
  const rows = (await db
    .knex('recovery_codes')
    .select('user_id')
    .where({ user_id: userId })
    .whereNull('used_at')) as Row[];
  return rows.length;
}
