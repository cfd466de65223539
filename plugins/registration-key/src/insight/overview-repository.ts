import type { Queryable } from 'latchkey/plugin-api';
import type { Standing } from '../keys/invitation-key.ts';

type Row = Record<string, unknown>;
type Entities = 'all' | readonly string[];

/** Counting stops here: a page does not read a million rows. */
const MOST_COUNTED = 20_000;

/** How many keys are in which state. What is deleted, or only open at some hours, counts as what it is otherwise. */
export async function countStandings(
  db: Queryable,
  { entities, now }: { entities: Entities; now: number },
): Promise<Partial<Record<Standing, number>>> {
  const some = db.knex('invite_key').limit(MOST_COUNTED);
  if (entities !== 'all') some.whereIn('entity_id', [...entities]);
  const state = db.knex.raw(
    `case when revoked_at is not null then 'revoked'
          when max_uses is not null and uses >= max_uses then 'used-up'
          when expires_at is not null and expires_at <= ? then 'expired'
          when paused_at is not null then 'paused'
          when not_before is not null and not_before > ? then 'scheduled'
          else 'active' end as standing`,
    [now, now],
  );
  const rows = await db.knex
    .from(some.select(state).orderBy('created_at', 'desc').as('some'))
    .groupBy('standing')
    .select<Row[]>('standing', db.knex.raw('count(*) as amount'));
  return Object.fromEntries(rows.map((row) => [String(row['standing']), Number(row['amount'])]));
}

export interface Join {
  at: number;
  keyId: string;
  /** The list that this key was made for, where each of its people has one of their own. */
  round: { id: string; label: string } | null;
}

/** Everybody who joined since a moment, newest first. */
export async function joinsSince(
  db: Queryable,
  { entities, since }: { entities: Entities; since: number },
): Promise<Join[]> {
  const joined = db
    .knex('invite_redemption')
    .where({ status: 'active' })
    .where('settled_at', '>=', since)
    .orderBy('settled_at', 'desc')
    .limit(MOST_COUNTED);
  if (entities !== 'all') joined.whereIn('entity_id', [...entities]);
  const rows = await db.knex
    .from(joined.select('settled_at', 'key_id').as('j'))
    .leftJoin({ k: 'invite_key' }, 'k.id', 'j.key_id')
    .leftJoin({ r: 'invite_round' }, 'r.id', 'k.batch_id')
    .orderBy('j.settled_at', 'desc')
    .select<Row[]>('j.settled_at', 'j.key_id', { round_id: 'r.id' }, { round_label: 'r.label' });
  return rows.map((row) => ({
    at: Number(row['settled_at']),
    keyId: String(row['key_id']),
    round:
      typeof row['round_id'] === 'string' ? { id: row['round_id'], label: String(row['round_label']) } : null,
  }));
}
