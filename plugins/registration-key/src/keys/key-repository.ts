import {
  column,
  COUNT_LIMIT,
  defineTable,
  offsetOf,
  type Mac,
  type Page,
  type PageRequest,
  type Queryable,
  type Sealed,
  type Tx,
} from 'latchkey/plugin-api';
import type { InvitationKey, KeyTerms } from './invitation-key.ts';

const { bytes, flag, instant, json, nullable, oneOf, text, whole } = column;

const keys = defineTable('invite_key', {
  id: text,
  entityId: text,
  label: text,
  note: text,
  hint: text,
  explainCode: text,
  weak: flag,
  generation: whole,
  maxUses: nullable(whole),
  uses: whole,
  notBefore: nullable(instant),
  expiresAt: nullable(instant),
  pausedAt: nullable(instant),
  pausedReason: nullable(oneOf('by-hand', 'owner-gone', 'authority-lost', 'restored-backup', 'locked')),
  revokedAt: nullable(instant),
  approval: oneOf('auto', 'domain', 'manual'),
  emailProof: oneOf('required', 'none'),
  email: nullable(text),
  emailNorm: nullable(text),
  emailDomains: json<string[]>(),
  profileId: text,
  groupIds: json<string[]>(),
  landing: text,
  locale: nullable(text),
  ownerId: nullable(text),
  ownerName: text,
  createdAt: instant,
  updatedAt: instant,
  lastUsedAt: nullable(instant),
  version: whole,
});

/** The columns that hold the secret. They leave this file only by the two functions that say so. */
const secrets = defineTable('invite_key', {
  lookup: bytes,
  lookupKey: whole,
  copyText: nullable(bytes),
  copyNonce: nullable(bytes),
  copyKey: nullable(whole),
});

const stamps = defineTable('invite_key', {
  version: whole,
  uses: whole,
  pausedAt: nullable(instant),
  revokedAt: nullable(instant),
});

export interface KeySecret {
  lookup: Mac;
  /** Null when it is shown once. */
  copy: Sealed | null;
}

export type Tab = 'active' | 'scheduled' | 'finished' | 'all';

export interface KeyFilter {
  tab: Tab;
  search: string;
  entities: 'all' | readonly string[];
}

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

const readable = [...keys.columns, 'invite_key.copy_key'];
const decodeKey = (row: Row): InvitationKey => ({ ...keys.decode(row), hasCopy: row['copy_key'] !== null });

export async function findKey(db: Queryable, id: string): Promise<InvitationKey | null> {
  const row = (await db.knex(keys.name).select(readable).where({ id }).first()) as Row | undefined;
  return row ? decodeKey(row) : null;
}

/** What moves whenever a key does: each edit raises its version, each seat its uses. */
export type KeyStamp = Pick<InvitationKey, 'version' | 'uses' | 'pausedAt' | 'revokedAt'>;

export async function findKeyStamp(db: Queryable, id: string): Promise<KeyStamp | null> {
  const wanted = db.knex(keys.name).select('version', 'uses', 'paused_at', 'revoked_at');
  const row = (await wanted.where({ id }).first()) as Row | undefined;
  return row ? stamps.decode(row) : null;
}

/** By its digests under every key of the ring that is still in use. One indexed read. */
export async function findKeyByLookup(db: Queryable, lookups: readonly Mac[]): Promise<InvitationKey | null> {
  const digests = lookups.map(({ digest }) => digest);
  const row = (await db.knex(keys.name).select(readable).whereIn('lookup', digests).first()) as
    Row | undefined;
  return row ? decodeKey(row) : null;
}

export async function findKeys(db: Queryable, ids: readonly string[]): Promise<Map<string, InvitationKey>> {
  if (ids.length === 0) return new Map();
  const rows = (await db
    .knex(keys.name)
    .select(readable)
    .whereIn('id', [...ids])) as Row[];
  return new Map(rows.map(decodeKey).map((key) => [key.id, key]));
}

export async function listKeys(
  db: Queryable,
  filter: KeyFilter,
  page: PageRequest,
  now: number,
): Promise<Page<InvitationKey>> {
  const wanted = restrict(db, filter, now);
  const rows = (await wanted
    .clone()
    .select(readable)
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(page.perPage)
    .offset(offsetOf(page))) as Row[];
  return { items: rows.map(decodeKey), ...page, total: await countUpTo(db, wanted) };
}

export async function countTabs(
  db: Queryable,
  filter: Omit<KeyFilter, 'tab'>,
  now: number,
): Promise<Record<Tab, number>> {
  const count = (tab: Tab): Promise<number> => countUpTo(db, restrict(db, { ...filter, tab }, now));
  const [active, scheduled, finished, all] = [
    await count('active'),
    await count('scheduled'),
    await count('finished'),
    await count('all'),
  ];
  return { active, scheduled, finished, all };
}

export async function insertKey(
  tx: Tx,
  key: Omit<InvitationKey, 'hasCopy'>,
  { lookup, copy }: KeySecret,
): Promise<void> {
  await tx.knex(keys.name).insert({
    ...keys.encode(key),
    ...secretColumns({ lookup, copy }),
    ...searchColumn(key),
    seat_seq: 0,
  });
}

/**
 * Takes a seat, if at this moment all of this still holds: same generation and terms as were judged, not revoked, not paused,
 * inside its time, not full. The one statement on which the promise of the cap rests; nothing may be read before it.
 */
export async function takeSeat(
  tx: Tx,
  key: Pick<InvitationKey, 'id' | 'entityId' | 'generation' | 'version'>,
  now: number,
): Promise<boolean> {
  const taken = await tx
    .knex(keys.name)
    .where({ id: key.id, entity_id: key.entityId, generation: key.generation, version: key.version })
    .whereNull('revoked_at')
    .whereNull('paused_at')
    .where((w) => void w.whereNull('not_before').orWhere('not_before', '<=', now))
    .where((w) => void w.whereNull('expires_at').orWhere('expires_at', '>', now))
    .where((w) => void w.whereNull('max_uses').orWhereRaw('uses < max_uses'))
    .update({ uses: tx.knex.raw('uses + 1'), seat_seq: tx.knex.raw('seat_seq + 1'), last_used_at: now });
  return taken === 1;
}

/** The number of the seat that this transaction has just taken. */
export async function seatNumber(tx: Tx, keyId: string): Promise<number> {
  const row = await tx.knex(keys.name).where({ id: keyId }).first<Row>('seat_seq');
  return Number(row['seat_seq']);
}

/** Gives one seat back. Seat numbers are never given out twice, so `seat_seq` stays. */
export async function giveBackSeat(tx: Tx, keyId: string): Promise<void> {
  await tx
    .knex(keys.name)
    .where({ id: keyId })
    .where('uses', '>', 0)
    .update({ uses: tx.knex.raw('uses - 1') });
}

/** Writes new terms over the version that was read; false when somebody was faster or the cap would fall below what is used. */
export async function updateTerms(
  tx: Tx,
  id: string,
  version: number,
  terms: KeyTerms,
  now: number,
): Promise<boolean> {
  const write = tx.knex(keys.name).where({ id, version });
  if (terms.maxUses !== null) write.where('uses', '<=', terms.maxUses);
  return (
    (await write.update({
      ...keys.encode({ ...terms, updatedAt: now }),
      ...searchColumn(terms),
      version: tx.knex.raw('version + 1'),
    })) === 1
  );
}

type Lifecycle = Pick<InvitationKey, 'pausedAt' | 'pausedReason' | 'revokedAt'>;

/** From one state to another, once: false when it is not (or no longer) in the first. */
export async function moveKey(
  tx: Tx,
  id: string,
  from: Partial<Record<'paused_at' | 'revoked_at', 'set' | 'unset'>>,
  to: Partial<Lifecycle>,
  now: number,
): Promise<boolean> {
  const write = tx.knex(keys.name).where({ id });
  for (const [column, state] of Object.entries(from)) {
    if (state === 'set') write.whereNotNull(column);
    else write.whereNull(column);
  }
  const moved = await write.update({
    ...keys.encode({ ...to, updatedAt: now }),
    version: tx.knex.raw('version + 1'),
  });
  return moved === 1;
}

export async function replaceSecret(
  tx: Tx,
  id: string,
  { generation, hint, secret, now }: { generation: number; hint: string; secret: KeySecret; now: number },
): Promise<boolean> {
  const replaced = await tx
    .knex(keys.name)
    .where({ id, generation })
    .whereNull('revoked_at')
    .update({
      ...keys.encode({ hint, updatedAt: now, weak: false, generation: generation + 1 }),
      ...secretColumns(secret),
      version: tx.knex.raw('version + 1'),
    });
  return replaced === 1;
}

/** The sealed copy, for revealing; null when it is shown once or gone. */
export async function readSealedCopy(db: Queryable, id: string): Promise<Sealed | null> {
  const row = (await db.knex(keys.name).select(secrets.columns).where({ id }).first()) as Row | undefined;
  if (!row) return null;
  const { copyText, copyNonce, copyKey } = secrets.decode(row);
  if (copyText === null || copyNonce === null || copyKey === null) return null;
  return { keyId: copyKey, nonce: copyNonce, ciphertext: copyText };
}

/** Only a key that nobody ever used goes without a trace; history stays. */
export async function deleteUnused(tx: Tx, id: string): Promise<boolean> {
  const gone = await tx.knex(keys.name).where({ id, seat_seq: 0 }).delete();
  return gone === 1;
}

export async function findByExplainCode(db: Queryable, explainCode: string): Promise<InvitationKey[]> {
  const rows = (await db
    .knex(keys.name)
    .select(readable)
    .where({ explain_code: explainCode })
    .limit(10)) as Row[];
  return rows.map(decodeKey);
}

/**
 * For somebody whose seat is held already: the key must still be open and be the version that was judged, but neither its time nor
 * its cap count any more. A write, so that it and a revocation cannot both succeed.
 */
export async function touchOpen(
  tx: Tx,
  key: Pick<InvitationKey, 'id' | 'version'>,
  now: number,
): Promise<boolean> {
  const touched = await tx
    .knex(keys.name)
    .where({ id: key.id, version: key.version })
    .whereNull('revoked_at')
    .whereNull('paused_at')
    .update({ last_used_at: now });
  return touched === 1;
}

export async function findKeysOwnedBy(db: Queryable, ownerId: string): Promise<InvitationKey[]> {
  const rows = (await db
    .knex(keys.name)
    .select(readable)
    .where({ owner_id: ownerId })
    .whereNull('revoked_at')) as Row[];
  return rows.map(decodeKey);
}

function restrict(db: Queryable, { tab, search, entities }: KeyFilter, now: number): Query {
  const query: Query = db.knex(keys.name);
  if (entities !== 'all') query.whereIn('entity_id', [...entities]);
  for (const word of folded(search)
    .split(' ')
    .filter((one) => one !== '')) {
    query.whereRaw(`search_text like ? escape '!'`, [`%${word.replace(/[!%_]/g, '!$&')}%`]);
  }
  if (tab === 'finished')
    query.where(
      (w) =>
        void w.whereNotNull('revoked_at').orWhere('expires_at', '<=', now).orWhereRaw('uses >= max_uses'),
    );
  if (tab === 'active' || tab === 'scheduled') {
    query
      .whereNull('revoked_at')
      .where((w) => void w.whereNull('expires_at').orWhere('expires_at', '>', now))
      .where((w) => void w.whereNull('max_uses').orWhereRaw('uses < max_uses'));
  }
  if (tab === 'scheduled') query.where('not_before', '>', now);
  if (tab === 'active') query.where((w) => void w.whereNull('not_before').orWhere('not_before', '<=', now));
  return query;
}

async function countUpTo(db: Queryable, wanted: Query): Promise<number> {
  const some = wanted
    .clone()
    .select('invite_key.id')
    .limit(COUNT_LIMIT + 1)
    .as('some');
  const row = (await db.knex.from(some).count({ count: '*' }).first()) as Row | undefined;
  return Number(row?.['count'] ?? 0);
}

/** As people search: small letters, no accents. */
const folded = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim();

const searchColumn = ({
  label,
  email,
  emailDomains,
}: Pick<KeyTerms, 'label' | 'email' | 'emailDomains'>): Row => ({
  search_text: folded([label, email ?? '', ...emailDomains].join(' ')),
});

const secretColumns = ({ lookup, copy }: KeySecret): Record<string, unknown> =>
  secrets.encode({
    lookup: lookup.digest,
    lookupKey: lookup.keyId,
    copyText: copy?.ciphertext ?? null,
    copyNonce: copy?.nonce ?? null,
    copyKey: copy?.keyId ?? null,
  });
