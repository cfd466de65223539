import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const { flag, oneOf, text } = column;

export type JoinNotice = 'each' | 'digest' | 'none';

export interface NoticeChoice {
  joins: JoinNotice;
  /** Before it matters: nearly used up, ending, nobody comes, ended. */
  warnings: boolean;
}

const choices = defineTable('invite_notice_choice', {
  keyId: text,
  joins: oneOf('each', 'digest', 'none'),
  warnings: flag,
});
const SENT = 'invite_notice';

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

/** What was chosen for each of these keys; those left out are as the house usually does it. */
export async function choicesOf(
  db: Queryable,
  keyIds: readonly string[],
): Promise<Map<string, NoticeChoice>> {
  if (keyIds.length === 0) return new Map();
  const rows = (await db
    .knex(choices.name)
    .select(choices.columns)
    .whereIn('key_id', [...keyIds])) as Row[];
  return new Map(rows.map(choices.decode).map(({ keyId, ...choice }) => [keyId, choice]));
}

export async function saveChoice(tx: Tx, keyId: string, choice: NoticeChoice): Promise<void> {
  await tx
    .knex(choices.name)
    .insert(choices.encode({ keyId, ...choice }))
    .onConflict('key_id')
    .merge();
}

/** True for whoever comes first: each thing is told once, whichever process finds it. */
export async function markSent(
  tx: Tx,
  { keyId, concern, occasion }: Concerned,
  at: number,
): Promise<boolean> {
  const what = `${concern}:${String(occasion)}`;
  const known = await tx.knex(SENT).where({ key_id: keyId, what }).first<Row | undefined>('at');
  if (known) return false;
  await tx.knex(SENT).insert({ key_id: keyId, what, occasion, at });
  return true;
}

/** The same for a group that people join without: true once for each key and group, whichever server lets them in. */
export async function markLeftOut(tx: Tx, keyId: string, groupId: string, at: number): Promise<boolean> {
  const what = `left-out:${groupId}`;
  const known = await tx.knex(SENT).where({ key_id: keyId, what }).first<Row | undefined>('at');
  if (known) return false;
  await tx.knex(SENT).insert({ key_id: keyId, what, at }).onConflict(['key_id', 'what']).ignore();
  return true;
}

/** The countries that people came from to these keys so far. */
export async function countriesSeen(
  db: Queryable,
  keyIds: readonly string[],
): Promise<Map<string, Set<string>>> {
  const rows = (await db
    .knex(SENT)
    .select('key_id', 'what')
    .whereIn('key_id', [...keyIds])
    .where('what', 'like', 'country:%')) as Row[];
  const seen = new Map<string, Set<string>>();
  for (const row of rows) {
    const [keyId, country] = [String(row['key_id']), String(row['what']).slice('country:'.length)];
    seen.set(keyId, (seen.get(keyId) ?? new Set()).add(country));
  }
  return seen;
}

export async function markCountry(
  tx: Tx,
  { keyId, country, at }: { keyId: string; country: string; at: number },
): Promise<void> {
  const row = { key_id: keyId, what: `country:${country}`, at };
  await tx.knex(SENT).insert(row).onConflict(['key_id', 'what']).ignore();
}

export async function readMark(db: Queryable, name: string): Promise<number | null> {
  const row = await db.knex(SENT).where({ key_id: name, what: 'mark' }).first<Row | undefined>('at');
  return row ? Number(row['at']) : null;
}

/** From where it was read to where it is now; false when another process has moved it. */
export async function moveMark(tx: Tx, name: string, from: number | null, to: number): Promise<boolean> {
  if (from === null) {
    await tx.knex(SENT).insert({ key_id: name, what: 'mark', at: to });
    return true;
  }
  const moved = await tx.knex(SENT).where({ key_id: name, what: 'mark', at: from }).update({ at: to });
  return moved === 1;
}

export const concerns = ['nearly-used-up', 'ends-soon', 'nobody-joined', 'ended'] as const;
export type Concern = (typeof concerns)[number];

export interface Concerned {
  keyId: string;
  concern: Concern;
  /** Tells this occasion from the next: another cap, another end. */
  occasion: number;
}

const [DAY_MS, MOST] = [86_400_000, 200];

/** Keys to be told of, each read along an index of its own and none that was told of already. */
export async function findConcerned(db: Queryable, concern: Concern, now: number): Promise<Concerned[]> {
  const query: Query = db.knex.queryBuilder().from({ k: 'invite_key' }).whereNull('k.revoked_at');
  const occasion = restrict[concern](query, now);
  const sent = db.knex
    .queryBuilder()
    .from({ n: SENT })
    .select(db.knex.raw('1'))
    .whereRaw('n.key_id = k.id')
    .where('n.what', 'like', `${concern}:%`);
  if (occasion !== null) sent.whereRaw(`n.occasion = k.${occasion}`);
  const rows = await query
    .whereNotExists(sent)
    .limit(MOST)
    .select<Row[]>('k.id', ...(occasion === null ? [] : [`k.${occasion}`]));
  return rows.map((row) => ({
    keyId: String(row['id']),
    concern,
    occasion: occasion === null ? 0 : Number(row[occasion]),
  }));
}

/** Adds what is asked of the key, and says which of its columns makes the occasion. */
const restrict: Record<Concern, (query: Query, now: number) => 'max_uses' | 'expires_at' | null> = {
  'nearly-used-up': (query, now) => {
    query
      .where('k.last_used_at', '>', now - DAY_MS)
      .where('k.max_uses', '>=', 5)
      .whereRaw('k.uses * 5 >= k.max_uses * 4')
      .where((open) => void open.whereNull('k.expires_at').orWhere('k.expires_at', '>', now));
    return 'max_uses';
  },
  'ends-soon': (query, now) => {
    query
      .where('k.expires_at', '>', now)
      .where('k.expires_at', '<=', now + 2 * DAY_MS)
      // Whoever makes a key for a day or two knows when it ends.
      .whereRaw('k.expires_at - k.created_at > ?', [3 * DAY_MS])
      .where((free) => void free.whereNull('k.max_uses').orWhereRaw('k.uses < k.max_uses'));
    return 'expires_at';
  },
  'nobody-joined': (query, now) => {
    query
      .where('k.created_at', '>', now - 9 * DAY_MS)
      .where('k.created_at', '<=', now - 7 * DAY_MS)
      .where({ 'k.seat_seq': 0 })
      .where((open) => void open.whereNull('k.expires_at').orWhere('k.expires_at', '>', now))
      .where((begun) => void begun.whereNull('k.not_before').orWhere('k.not_before', '<=', now - 7 * DAY_MS));
    return null;
  },
  ended: (query, now) => {
    query.where('k.expires_at', '>', now - 2 * DAY_MS).where('k.expires_at', '<=', now);
    return 'expires_at';
  },
};

export interface Joined {
  keyId: string;
  userId: string | null;
  at: number;
  /** Cut, and empty once it is forgotten. */
  network: string;
}

/** Who joined between two moments, oldest first. */
export async function joinedBetween(
  db: Queryable,
  { from, to, limit }: { from: number; to: number; limit: number },
): Promise<Joined[]> {
  const rows = await db
    .knex('invite_redemption')
    .where({ status: 'active' })
    .where('settled_at', '>', from)
    .where('settled_at', '<=', to)
    .orderBy('settled_at')
    .limit(limit)
    .select<Row[]>('key_id', 'user_id', 'settled_at', 'network');
  return rows.map((row) => ({
    keyId: String(row['key_id']),
    userId: typeof row['user_id'] === 'string' ? row['user_id'] : null,
    at: Number(row['settled_at']),
    network: String(row['network']),
  }));
}
