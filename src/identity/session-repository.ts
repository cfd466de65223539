import type { Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, instant, text, whole } from '../db/table.ts';
import type { Session } from './session.ts';

const sessions = defineTable('sessions', {
  id: text,
  userId: text,
  authEpoch: whole,
  createdAt: instant,
  seenAt: instant,
  authenticatedAt: instant,
  idleMs: whole,
  expiresAt: instant,
  network: text,
  userAgent: text,
});

const digests = defineTable('sessions', { digest: bytes });

type Row = Record<string, unknown>;

export async function insertSession(tx: Tx, session: Session, { digest }: { digest: Buffer }): Promise<void> {
  await tx.knex(sessions.name).insert({ ...sessions.encode(session), ...digests.encode({ digest }) });
}

export async function findSessionByDigest(db: Queryable, digest: Buffer): Promise<Session | null> {
  const row = (await db.knex(sessions.name).first(sessions.columns).where({ digest })) as Row | undefined;
  return row ? sessions.decode(row) : null;
}

/** The most recently used first. */
export async function listSessionsOf(db: Queryable, userId: string, now: number): Promise<Session[]> {
  const rows = (await db
    .knex(sessions.name)
    .select(sessions.columns)
    .where({ user_id: userId })
    .where('expires_at', '>', now)
    .orderBy('seen_at', 'desc')) as Row[];
  return rows.map(sessions.decode);
}

/** At most one of several requests writes. */
export async function touchSession(
  tx: Tx,
  id: string,
  { before, now }: { before: number; now: number },
): Promise<boolean> {
  return (
    (await tx.knex(sessions.name).where({ id }).where('seen_at', '<', before).update({ seen_at: now })) === 1
  );
}

export async function markAuthenticated(
  tx: Tx,
  id: string,
  { digest, at }: { digest: Buffer; at: number },
): Promise<void> {
  await tx.knex(sessions.name).where({ id }).update({ digest, authenticated_at: at, seen_at: at });
}

export const deleteAllSessions = (tx: Tx): Promise<number> => tx.knex(sessions.name).delete();

export async function deleteSession(
  tx: Tx,
  { id, userId }: { id: string; userId: string },
): Promise<boolean> {
  return (await tx.knex(sessions.name).where({ id, user_id: userId }).delete()) === 1;
}

export async function deleteSessionsOf(
  tx: Tx,
  userId: string,
  { except }: { except?: string } = {},
): Promise<number> {
  const theirs = tx.knex(sessions.name).where({ user_id: userId });
  return except === undefined ? theirs.delete() : theirs.whereNot({ id: except }).delete();
}

/** A session that stays open while the others end moves on to the new epoch. */
export async function moveToEpoch(tx: Tx, id: string, authEpoch: number): Promise<void> {
  await tx.knex(sessions.name).where({ id }).update({ auth_epoch: authEpoch });
}

export async function deleteSessionsBefore(tx: Tx, now: number): Promise<number> {
  return tx.knex(sessions.name).where('expires_at', '<', now).delete();
}
