import { digestOf } from '../crypto/digest.ts';
import type { Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, flag, instant, json, nullable, text, whole } from '../db/table.ts';
import type { Passkey } from './passkey.ts';

const passkeys = defineTable('passkeys', {
  id: text,
  userId: text,
  credentialId: text,
  publicKey: bytes,
  counter: whole,
  transports: json<string[]>(),
  rpId: text,
  name: text,
  backedUp: flag,
  createdAt: instant,
  lastUsedAt: nullable(instant),
});

type Row = Record<string, unknown>;

export async function insertPasskey(tx: Tx, passkey: Passkey): Promise<void> {
  await tx
    .knex(passkeys.name)
    .insert({ ...passkeys.encode(passkey), lookup: lookupOf(passkey.credentialId) });
}

export async function findPasskey(db: Queryable, credentialId: string): Promise<Passkey | null> {
  const row = (await db
    .knex(passkeys.name)
    .select(passkeys.columns)
    .where({ lookup: lookupOf(credentialId) })
    .first()) as Row | undefined;
  return row ? passkeys.decode(row) : null;
}

export async function listPasskeysOf(db: Queryable, userId: string): Promise<Passkey[]> {
  const rows = (await db
    .knex(passkeys.name)
    .select(passkeys.columns)
    .where({ user_id: userId })
    .orderBy(['created_at', 'id'])) as Row[];
  return rows.map(passkeys.decode);
}

/** Counted on in the statement that checks: of two answers with one count, one is taken. */
export async function usePasskey(
  tx: Tx,
  id: string,
  { counter, now }: { counter: number; now: number },
): Promise<boolean> {
  const used = await tx
    .knex(passkeys.name)
    .where({ id })
    .where((w) => void (counter === 0 ? w.where('counter', 0) : w.where('counter', '<', counter)))
    .update({ counter, last_used_at: now });
  return used === 1;
}

export async function renamePasskey(
  tx: Tx,
  { id, userId }: { id: string; userId: string },
  name: string,
): Promise<boolean> {
  return (await tx.knex(passkeys.name).where({ id, user_id: userId }).update({ name })) === 1;
}

export async function deletePasskey(
  tx: Tx,
  { id, userId }: { id: string; userId: string },
): Promise<boolean> {
  return (await tx.knex(passkeys.name).where({ id, user_id: userId }).delete()) === 1;
}

export async function deletePasskeysOf(tx: Tx, userId: string): Promise<void> {
  await tx.knex(passkeys.name).where({ user_id: userId }).delete();
}

/** A challenge is answered once: a second answer finds the first one's row. */
export async function insertAnswered(tx: Tx, challenge: string, expiresAt: number): Promise<void> {
  await tx
    .knex('passkey_answered')
    .insert({ digest: digestOf(`passkey|${challenge}`), expires_at: expiresAt });
}

export async function deleteAnsweredBefore(tx: Tx, now: number): Promise<void> {
  await tx.knex('passkey_answered').where('expires_at', '<', now).delete();
}

const lookupOf = (credentialId: string): Buffer => digestOf(`passkey-credential|${credentialId}`);
