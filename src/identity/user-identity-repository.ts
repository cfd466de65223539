import { digestOf } from '../crypto/digest.ts';
import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, flag, instant, nullable, text } from '../db/table.ts';
import { newId } from '../shared/ids.ts';
import type { NewIdentity, UserIdentity } from './user-identity.ts';

const identities = defineTable('user_identity', {
  id: text,
  userId: text,
  provider: text,
  issuer: text,
  subject: text,
  email: nullable(text),
  emailVerified: flag,
  linkedAt: instant,
  lastUsedAt: nullable(instant),
});

type Row = Record<string, unknown>;
type Named = Pick<NewIdentity, 'issuer' | 'subject'>;

/** A duplicate is an identity that belongs to somebody already. */
export async function insertIdentity(
  tx: Tx,
  userId: string,
  identity: NewIdentity,
  now: number,
): Promise<void> {
  const row = { ...identity, id: newId(), userId, linkedAt: now, lastUsedAt: null };
  await tx.knex(identities.name).insert({ ...identities.encode(row), lookup: lookupOf(identity) });
}

export async function findIdentity(db: Queryable, named: Named): Promise<UserIdentity | null> {
  const row = (await db
    .knex(identities.name)
    .select(identities.columns)
    .where({ lookup: lookupOf(named) })
    .first()) as Row | undefined;
  return row ? identities.decode(row) : null;
}

export async function listIdentitiesOf(db: Queryable, userId: string): Promise<UserIdentity[]> {
  const rows = (await db
    .knex(identities.name)
    .select(identities.columns)
    .where({ user_id: userId })
    .orderBy(['linked_at', 'id'])) as Row[];
  return rows.map(identities.decode);
}

/** What the provider says today, for those who look at the list of ways in; nothing is decided by it. */
export async function noteUse(
  tx: Tx,
  id: string,
  { provider, email, emailVerified }: NewIdentity,
  now: number,
): Promise<void> {
  const seen = identities.encode({ provider, email, emailVerified, lastUsedAt: now });
  await tx.knex(identities.name).where({ id }).update(seen);
}

export async function deleteIdentity(
  tx: Tx,
  { id, userId }: { id: string; userId: string },
): Promise<boolean> {
  return (await tx.knex(identities.name).where({ id, user_id: userId }).delete()) === 1;
}

export async function deleteIdentitiesOf(tx: Tx, userId: string): Promise<void> {
  await tx.knex(identities.name).where({ user_id: userId }).delete();
}

/** Neither can be mistaken for the other, whatever is in them; and text of a database is never compared. */
const lookupOf = ({ issuer, subject }: Named): Buffer =>
  digestOf(`user-identity|${JSON.stringify([issuer, subject])}`);
