import type { Queryable } from 'latchkey/plugin-api';

type Row = Record<string, unknown>;

/** Somebody came in by a key that somebody else owned. */
export interface Branch {
  userId: string;
  inviterId: string | null;
  keyId: string;
  seat: number;
  entityId: string;
  at: number;
  how: 'new' | 'existing';
}

const columns = ['user_id', 'inviter_id', 'key_id', 'seat', 'entity_id', 'settled_at', 'at', 'how'];

const branchOf = (row: Row): Branch => ({
  userId: String(row['user_id']),
  inviterId: typeof row['inviter_id'] === 'string' ? row['inviter_id'] : null,
  keyId: String(row['key_id']),
  seat: Number(row['seat']),
  entityId: String(row['entity_id']),
  at: Number(row['settled_at'] ?? row['at']),
  how: row['how'] === 'existing' ? 'existing' : 'new',
});

/** Everybody who came in by this key from that moment on, who have an account; oldest first. */
export async function joinedSince(
  db: Queryable,
  keyId: string,
  since: number,
  { limit, copyId = null }: { limit: number; copyId?: string | null },
): Promise<Branch[]> {
  const found = db
    .knex('invite_redemption')
    .where({ key_id: keyId, status: 'active' })
    .whereNotNull('user_id')
    .where('settled_at', '>=', since)
    .orderBy('seat')
    .limit(limit)
    .select<Row[]>(columns);
  if (copyId !== null)
    void found.whereIn(
      'id',
      db.knex('invite_copy_seat').where({ key_id: keyId, copy_id: copyId }).select('redemption_id'),
    );
  return (await found).map(branchOf);
}

/** Whom these people let in, by keys of their own. */
export async function invitedBy(
  db: Queryable,
  inviterIds: readonly string[],
  { limit, since = 0 }: { limit: number; since?: number },
): Promise<Branch[]> {
  if (inviterIds.length === 0) return [];
  const rows = await db
    .knex('invite_redemption')
    .whereIn('inviter_id', [...inviterIds])
    .where({ status: 'active' })
    .whereNotNull('user_id')
    .where('at', '>=', since)
    .orderBy(['inviter_id', 'at'])
    .limit(limit)
    .select<Row[]>(columns);
  return rows.map(branchOf);
}

/** By which keys somebody came; the first of a new account is how the account came to be. */
export async function cameBy(db: Queryable, userIds: readonly string[]): Promise<Branch[]> {
  if (userIds.length === 0) return [];
  const rows = await db
    .knex('invite_redemption')
    .whereIn('user_id', [...userIds])
    .where({ status: 'active' })
    .orderBy('at')
    .select<Row[]>(columns);
  return rows.map(branchOf);
}

/** How many each of these people let in. */
export async function countInvited(
  db: Queryable,
  inviterIds: readonly string[],
): Promise<Map<string, number>> {
  if (inviterIds.length === 0) return new Map();
  const rows = await db
    .knex('invite_redemption')
    .whereIn('inviter_id', [...inviterIds])
    .where({ status: 'active' })
    .groupBy('inviter_id')
    .select<Row[]>('inviter_id', db.knex.raw('count(*) as count'));
  return new Map(rows.map((row) => [String(row['inviter_id']), Number(row['count'])]));
}

/** Who let in most, as far as this reader sees the entities. */
export async function busiestInviters(
  db: Queryable,
  entities: 'all' | readonly string[],
  limit: number,
): Promise<{ userId: string; count: number }[]> {
  const found = db
    .knex('invite_redemption')
    .whereNotNull('inviter_id')
    .where({ status: 'active' })
    .groupBy('inviter_id')
    .orderBy('count', 'desc')
    .limit(limit)
    .select<Row[]>('inviter_id', db.knex.raw('count(*) as count'));
  if (entities !== 'all') void found.whereIn('entity_id', [...entities]);
  return (await found).map((row) => ({ userId: String(row['inviter_id']), count: Number(row['count']) }));
}
