import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, oneOf, text, whole } from '../db/table.ts';
import type { SecretPurpose, UserSecret } from './user-secret.ts';

const secrets = defineTable('user_secrets', {
  id: text,
  userId: text,
  purpose: oneOf('reset', 'confirm'),
  email: text,
  triesLeft: whole,
  createdAt: instant,
  expiresAt: instant,
  usedAt: nullable(instant),
});

type Row = Record<string, unknown>;

/** The newest is the only one that works. */
export async function replaceSecret(
  tx: Tx,
  secret: UserSecret,
  { digest, codeDigest }: { digest: Buffer; codeDigest: Buffer | null },
): Promise<void> {
  await deleteSecretsOf(tx, secret.userId, secret.purpose);
  await tx.knex(secrets.name).insert({ ...secrets.encode(secret), digest, code_digest: codeDigest });
}

export async function findOpenSecret(
  db: Queryable,
  { digest, purpose, now }: { digest: Buffer; purpose: SecretPurpose; now: number },
): Promise<UserSecret | null> {
  const row = (await db
    .knex(secrets.name)
    .first(secrets.columns)
    .where({ digest, purpose })
    .whereNull('used_at')
    .where('expires_at', '>', now)) as Row | undefined;
  return row ? secrets.decode(row) : null;
}

/** What this person was last sent and has not used. */
export async function findOpenSecretOf(
  db: Queryable,
  { userId, purpose, now }: { userId: string; purpose: SecretPurpose; now: number },
): Promise<UserSecret | null> {
  const row = (await db
    .knex(secrets.name)
    .first(secrets.columns)
    .where({ user_id: userId, purpose })
    .whereNull('used_at')
    .where('expires_at', '>', now)
    .where('tries_left', '>', 0)) as Row | undefined;
  return row ? secrets.decode(row) : null;
}

/** Of two who post the same link, one changes the row. */
export async function spendSecret(tx: Tx, id: string, now: number): Promise<boolean> {
  const open = tx.knex(secrets.name).where({ id }).whereNull('used_at').where('expires_at', '>', now);
  return (await open.update({ used_at: now })) === 1;
}

/** Counted before the code is looked at. */
export async function spendSecretTry(tx: Tx, id: string): Promise<boolean> {
  const left = tx.knex(secrets.name).where({ id }).whereNull('used_at').where('tries_left', '>', 0);
  return (await left.update({ tries_left: tx.knex.raw('tries_left - 1') })) === 1;
}

export async function hasCode(db: Queryable, id: string, codeDigest: Buffer): Promise<boolean> {
  return (await db.knex(secrets.name).where({ id, code_digest: codeDigest }).first('id')) !== undefined;
}

export async function deleteSecretsOf(tx: Tx, userId: string, purpose?: SecretPurpose): Promise<void> {
  const theirs = tx.knex(secrets.name).where({ user_id: userId });
  await (purpose === undefined ? theirs : theirs.where({ purpose })).delete();
}

export async function deleteSecretsBefore(tx: Tx, now: number): Promise<void> {
  await tx.knex(secrets.name).where('expires_at', '<', now).delete();
}
