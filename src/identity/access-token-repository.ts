import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, nullable, text } from '../db/table.ts';
import type { AccessToken } from './access-token.ts';

const tokens = defineTable('access_tokens', {
  id: text,
  userId: text,
  name: text,
  hint: text,
  scopes: json<string[]>(),
  createdAt: instant,
  expiresAt: instant,
  usedAt: nullable(instant),
  revokedAt: nullable(instant),
});

type Row = Record<string, unknown>;

export async function insertToken(tx: Tx, token: AccessToken, { digest }: { digest: Buffer }): Promise<void> {
  await tx.knex(tokens.name).insert({ ...tokens.encode({ ...token, scopes: [...token.scopes] }), digest });
}

export async function findTokenByDigest(db: Queryable, digest: Buffer): Promise<AccessToken | null> {
  const row = (await db.knex(tokens.name).first(tokens.columns).where({ digest })) as Row | undefined;
  return row ? tokens.decode(row) : null;
}

/** Newest first; those that were revoked are gone from sight. */
export async function listTokensOf(db: Queryable, userId: string): Promise<AccessToken[]> {
  const rows = (await db
    .knex(tokens.name)
    .select(tokens.columns)
    .where({ user_id: userId })
    .whereNull('revoked_at')
    .orderBy('id', 'desc')) as Row[];
  return rows.map(tokens.decode);
}

export async function findToken(db: Queryable, id: string): Promise<AccessToken | null> {
  const row = (await db.knex(tokens.name).first(tokens.columns).where({ id })) as Row | undefined;
  return row ? tokens.decode(row) : null;
}

export async function revokeToken(tx: Tx, id: string, at: number): Promise<boolean> {
  return (await tx.knex(tokens.name).where({ id }).whereNull('revoked_at').update({ revoked_at: at })) === 1;
}

export async function revokeTokensOf(tx: Tx, userId: string, at: number): Promise<void> {
  await tx.knex(tokens.name).where({ user_id: userId }).whereNull('revoked_at').update({ revoked_at: at });
}

export async function markTokenUsed(
  tx: Tx,
  id: string,
  { before, now }: { before: number; now: number },
): Promise<void> {
  await tx
    .knex(tokens.name)
    .where({ id })
    .where((unused) => void unused.whereNull('used_at').orWhere('used_at', '<', before))
    .update({ used_at: now });
}
