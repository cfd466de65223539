import { randomBytes } from 'node:crypto';
import {
  column,
  countUpTo,
  defineTable,
  findRow,
  type Mac,
  type Queryable,
  type Sealed,
  type Tx,
} from 'latchkey/plugin-api';
import { carriesColumn } from '../carries/carries.ts';
import { humanChecks, type InvitationKey, type KeyTerms } from './invitation-key.ts';
import { wordsOfKey } from './key-words.ts';
import { isWithin, type OpeningHours } from './opening-hours.ts';
import { termsMark } from './terms-mark.ts';

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
  hours: nullable(json<OpeningHours>()),
  pausedAt: nullable(instant),
  pausedReason: nullable(
    oneOf(
      'by-hand',
      'owner-gone',
      'authority-lost',
      'restored-backup',
      'locked',
      'breaker',
      'reported',
      'second-approval',
    ),
  ),
  revokedAt: nullable(instant),
  approval: oneOf('auto', 'domain', 'manual'),
  emailProof: oneOf('required', 'none'),
  humanCheck: oneOf(...humanChecks),
  email: nullable(text),
  emailNorm: nullable(text),
  emailDomains: json<string[]>(),
  profileId: text,
  groupIds: json<string[]>(),
  landing: text,
  locale: nullable(text),
  carries: carriesColumn,
  ownerId: nullable(text),
  ownerName: text,
  byMember: flag,
  askedBy: nullable(text),
  approvedBy: nullable(text),
  approvedAt: nullable(instant),
  deletedAt: nullable(instant),
  batchId: nullable(text),
  ticketId: nullable(text),
  createdAt: instant,
  updatedAt: instant,
  lastUsedAt: nullable(instant),
  isMailed: flag,
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
  isMailed: flag,
});

export interface KeySecret {
  lookup: Mac;
  /** Null when it is shown once. */
  copy: Sealed | null;
}

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

export const readableColumns = [...keys.columns, 'invite_key.copy_key'];
export const decodeKey = (row: Row): InvitationKey => ({
  ...keys.decode(row),
  hasCopy: row['copy_key'] !== null,
});

export async function findKey(db: Queryable, id: string): Promise<InvitationKey | null> {
  const row = await findRow(db, keys.name, readableColumns, { id });
  return row ? decodeKey(row) : null;
}

/** What moves whenever a key does: each edit raises its version, each seat its uses. */
export type KeyStamp = Pick<InvitationKey, 'version' | 'uses' | 'pausedAt' | 'revokedAt' | 'isMailed'>;

export async function findKeyStamp(db: Queryable, id: string): Promise<KeyStamp | null> {
  const row = await findRow(db, stamps.name, stamps.columns, { id });
  return row ? stamps.decode(row) : null;
}

/** By its digests under every key of the ring that is still in use. One indexed read. */
export async function findKeyByLookup(db: Queryable, lookups: readonly Mac[]): Promise<InvitationKey | null> {
  for (const { digest } of lookups) {
    const row = await findRow(db, keys.name, readableColumns, { lookup: digest });
    if (row) return decodeKey(row);
  }
  return null;
}

export async function findKeys(db: Queryable, ids: readonly string[]): Promise<Map<string, InvitationKey>> {
  if (ids.length === 0) return new Map();
  const rows = (await db
    .knex(keys.name)
    .select(readableColumns)
    .whereIn('id', [...ids])) as Row[];
  return new Map(rows.map(decodeKey).map((key) => [key.id, key]));
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
    terms_mark: termsMark(key),
    seat_seq: 0,
    is_full: 0,
  });
  await writeWords(tx, key.id, key);
}

// `is_full` before `uses`: MariaDB hands each assignment what the ones before it have written.
const takeSeatsBy = (seats: string, counting: string): string => `
  UPDATE invite_key
  SET is_full = CASE WHEN max_uses IS NULL OR uses + ${seats} < max_uses THEN 0 ELSE 1 END,
      uses = uses + ${seats}, ${counting}, last_used_at = ?
  WHERE id = ? AND entity_id = ? AND generation = ? AND version = ? AND is_mailed = ?
    AND revoked_at IS NULL AND paused_at IS NULL
    AND (not_before IS NULL OR not_before <= ?)
    AND (expires_at IS NULL OR expires_at > ?)
    AND (max_uses IS NULL OR uses + ${seats} <= max_uses)`;

/**
 * Takes seats, if at this moment all of this still holds: same generation and terms as were judged, not revoked, not paused,
 * inside its time, not too full. The one statement on which the promise of the cap rests; nothing may be read before it.
 * Answers the number of the last of them; null where they were not to be had.
 */
export async function takeSeats(
  tx: Tx,
  key: Pick<InvitationKey, 'id' | 'entityId' | 'generation' | 'version' | 'isMailed' | 'hours'>,
  count: number,
  now: number,
): Promise<number | null> {
  // The guard on `version` makes sure that these are the hours of the row.
  if (key.hours !== null && !isWithin(key.hours, now)) return null;
  const { id, entityId, generation, version, isMailed } = key;
  const guards = [now, id, entityId, generation, version, isMailed ? 1 : 0, now, now];
  const statement = (counting: string): string => takeSeatsBy(String(count), counting);
  return tx.raise({ column: 'seat_seq', by: count }, statement, guards);
}

export async function markMailed(tx: Tx, keyId: string): Promise<void> {
  await tx.write('UPDATE invite_key SET is_mailed = 1 WHERE id = ? AND is_mailed = 0', [keyId]);
}

/** Gives one seat back. Seat numbers are never given out twice, so `seat_seq` stays. */
export async function giveBackSeat(tx: Tx, keyId: string): Promise<void> {
  await tx
    .knex(keys.name)
    .where({ id: keyId })
    .where('uses', '>', 0)
    .update({ uses: tx.knex.raw('uses - 1'), is_full: 0 });
}

/** Writes new terms over the version that was read; false when somebody was faster or the cap would fall below what is used. */
export async function updateTerms(
  tx: Tx,
  id: string,
  version: number,
  terms: KeyTerms,
  now: number,
): Promise<boolean> {
  const write = tx.knex(keys.name).where({ id, version }).whereNull('deleted_at');
  if (terms.maxUses !== null) write.where('uses', '<=', terms.maxUses);
  const written = await write.update({
    ...keys.encode({ ...terms, updatedAt: now }),
    ...searchColumn(terms),
    is_full: tx.knex.raw('CASE WHEN uses >= ? THEN 1 ELSE 0 END', [terms.maxUses]),
    terms_mark: termsMark(terms),
    version: tx.knex.raw('version + 1'),
  });
  if (written === 1) await writeWords(tx, id, terms);
  return written === 1;
}

type Lifecycle = Pick<
  InvitationKey,
  'pausedAt' | 'pausedReason' | 'revokedAt' | 'askedBy' | 'approvedBy' | 'approvedAt'
>;

/** From one state to another, once: false when it is not (or no longer) in the first. */
export async function moveKey(
  tx: Tx,
  id: string,
  from: Partial<Record<'paused_at' | 'revoked_at', 'set' | 'unset'>>,
  to: Partial<Lifecycle>,
  now: number,
): Promise<boolean> {
  const write = tx.knex(keys.name).where({ id }).whereNull('deleted_at');
  for (const [column, state] of Object.entries(from)) {
    if (state === 'set') write.whereNotNull(column);
    else write.whereNull(column);
  }
  // What waits for a second administrator is opened by `agreeToKey` alone, even if it was held back this very moment.
  if (to.pausedAt === null)
    write.where((w) => void w.whereNull('paused_reason').orWhereNot('paused_reason', 'second-approval'));
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

/** Nobody gets in by it until somebody else has agreed. */
export async function holdForSecond(tx: Tx, id: string, askedBy: string | null, now: number): Promise<void> {
  const held = {
    pausedAt: now,
    pausedReason: 'second-approval',
    askedBy,
    approvedBy: null,
    approvedAt: null,
  } as const;
  await tx.knex(keys.name).where({ id }).update(keys.encode(held));
}

/** Opens what was held, if it is still what was judged. */
export async function agreeToKey(
  tx: Tx,
  id: string,
  version: number,
  { by, now }: { by: string | null; now: number },
): Promise<boolean> {
  const agreed = await tx
    .knex(keys.name)
    .where({ id, version, paused_reason: 'second-approval' })
    .whereNull('deleted_at')
    .update({
      ...keys.encode({
        pausedAt: null,
        pausedReason: null,
        approvedBy: by,
        approvedAt: now,
        updatedAt: now,
      }),
      version: tx.knex.raw('version + 1'),
    });
  return agreed === 1;
}

/** Its text opens nothing and nothing can be read of it any more; the row stays for those who joined by it. */
export async function buryKey(tx: Tx, id: string, now: number): Promise<boolean> {
  const buried = await tx
    .knex(keys.name)
    .where({ id })
    .whereNull('deleted_at')
    .update({
      ...keys.encode({ deletedAt: now, updatedAt: now, hint: '' }),
      ...secrets.encode({ lookup: randomBytes(32), copyText: null, copyNonce: null, copyKey: null }),
      revoked_at: tx.knex.raw('COALESCE(revoked_at, ?)', [now]),
      generation: tx.knex.raw('generation + 1'),
      version: tx.knex.raw('version + 1'),
    });
  return buried === 1;
}

/** Keys of the same maker with the same terms, newest first; whether they are still open is not asked here. */
export async function findLike(
  db: Queryable,
  ownerId: string | null,
  terms: KeyTerms,
): Promise<InvitationKey[]> {
  const rows = (await db
    .knex(keys.name)
    .select(readableColumns)
    .where({ owner_id: ownerId, terms_mark: termsMark(terms) })
    .whereNull('revoked_at')
    .orderBy('created_at', 'desc')
    .limit(20)) as Row[];
  return rows.map(decodeKey);
}

/** How many keys of this person are open, and how many they have made since a moment. */
export async function countOwn(
  db: Queryable,
  ownerId: string,
  { now, since }: { now: number; since: number },
): Promise<{ open: number; made: number }> {
  const own = (): Query => {
    const all: Query = db.knex(keys.name);
    return all.where({ owner_id: ownerId });
  };
  const open = own()
    .whereNull('revoked_at')
    .where((w) => void w.whereNull('expires_at').orWhere('expires_at', '>', now))
    .where((w) => void w.whereNull('max_uses').orWhereRaw('uses < max_uses'));
  const made = own().where('created_at', '>', since);
  return { open: await countUpTo(db, open), made: await countUpTo(db, made) };
}

const openOfBatch = (db: Queryable, batchId: string, now: number): Query =>
  db
    .knex<Row>(keys.name)
    .where({ batch_id: batchId })
    .whereNull('revoked_at')
    .where((live) => void live.whereNull('expires_at').orWhere('expires_at', '>', now))
    .where((free) => void free.whereNull('max_uses').orWhereRaw('uses < max_uses'));

export async function openKeysOfBatch(
  db: Queryable,
  batchId: string,
  now: number,
  limit: number,
): Promise<string[]> {
  const rows = await openOfBatch(db, batchId, now).limit(limit).select<{ id: string }[]>('id');
  return rows.map(({ id }) => id);
}

export async function countOpenKeysOfBatch(db: Queryable, batchId: string, now: number): Promise<number> {
  const row = await openOfBatch(db, batchId, now).count({ count: '*' }).first<Row | undefined>();
  return Number(row?.['count'] ?? 0);
}

export async function findKeysOfBatch(db: Queryable, batchId: string): Promise<InvitationKey[]> {
  const rows = (await db
    .knex(keys.name)
    .select(readableColumns)
    .where({ batch_id: batchId })
    .whereNull('deleted_at')
    .orderBy('label')) as Row[];
  return rows.map(decodeKey);
}

export type DeadKind = 'expired' | 'used-up' | 'revoked';

/** Ids of keys that let nobody in any more, the oldest first. */
export async function findDead(
  db: Queryable,
  {
    kinds,
    entities,
    now,
    limit,
  }: { kinds: readonly DeadKind[]; entities: 'all' | readonly string[]; now: number; limit: number },
): Promise<string[]> {
  if (kinds.length === 0) return [];
  const dead = db.knex(keys.name).select('id').whereNull('deleted_at');
  if (entities !== 'all') dead.whereIn('entity_id', [...entities]);
  dead.where((w) => {
    if (kinds.includes('expired'))
      w.orWhere((one) => void one.where('expires_at', '<=', now).whereNull('revoked_at'));
    if (kinds.includes('used-up'))
      w.orWhere((one) => void one.whereRaw('uses >= max_uses').whereNull('revoked_at'));
    if (kinds.includes('revoked')) w.orWhereNotNull('revoked_at');
  });
  const rows = (await dead.orderBy('created_at').limit(limit)) as Row[];
  return rows.map(({ id }) => String(id));
}

/** The sealed copy, for revealing; null when it is shown once or gone. */
export async function readSealedCopy(db: Queryable, id: string): Promise<Sealed | null> {
  const row = (await db.knex(keys.name).select(secrets.columns).where({ id }).first()) as Row | undefined;
  if (!row) return null;
  const { copyText, copyNonce, copyKey } = secrets.decode(row);
  if (copyText === null || copyNonce === null || copyKey === null) return null;
  return { keyId: copyKey, nonce: copyNonce, ciphertext: copyText };
}

/** The same secret under newer keys; false when it was replaced meanwhile. */
export async function resealSecret(
  tx: Tx,
  { id, generation }: Pick<InvitationKey, 'id' | 'generation'>,
  secret: KeySecret,
): Promise<boolean> {
  return (await tx.knex(keys.name).where({ id, generation }).update(secretColumns(secret))) === 1;
}

/** Only a key that nobody ever used goes without a trace; history stays. */
export async function deleteUnused(tx: Tx, id: string): Promise<boolean> {
  const gone = await tx
    .knex(keys.name)
    .where({ id, seat_seq: 0 })
    // Whoever holds a mail about it, or stands on its list, is history too.
    .whereNotExists(tx.knex('invite_mailing').where({ key_id: id }))
    .whereNotExists(tx.knex('invite_roster').where({ key_id: id }))
    .delete();
  return gone === 1;
}

export async function findByExplainCode(db: Queryable, explainCode: string): Promise<InvitationKey[]> {
  const rows = (await db
    .knex(keys.name)
    .select(readableColumns)
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
    .select(readableColumns)
    .where({ owner_id: ownerId })
    .whereNull('revoked_at')) as Row[];
  return rows.map(decodeKey);
}

/** When somebody was last invited from a ticket by this address. */
export async function lastOfTicket(
  db: Queryable,
  { ticketId, emailNorm }: { ticketId: string; emailNorm: string },
): Promise<number | null> {
  const row = await db
    .knex(keys.name)
    .where({ ticket_id: ticketId, email_norm: emailNorm })
    .orderBy('created_at', 'desc')
    .first<{ created_at: unknown } | undefined>('created_at');
  return row === undefined ? null : Number(row.created_at);
}

/** What the list finds a key by; written with the key, since words follow its terms. */
async function writeWords(
  tx: Tx,
  keyId: string,
  { label, email, emailDomains }: Pick<KeyTerms, 'label' | 'email' | 'emailDomains'>,
): Promise<void> {
  await tx.knex('invite_key_word').where({ key_id: keyId }).delete();
  const words = wordsOfKey(label, email ?? '', ...emailDomains);
  if (words.length > 0)
    await tx.knex('invite_key_word').insert(words.map((word) => ({ word, key_id: keyId })));
}

const searchColumn = ({
  label,
  email,
  emailDomains,
}: Pick<KeyTerms, 'label' | 'email' | 'emailDomains'>): Row => ({
  search_text: wordsOfKey(label, email ?? '', ...emailDomains).join(' '),
});

const secretColumns = ({ lookup, copy }: KeySecret): Record<string, unknown> =>
  secrets.encode({
    lookup: lookup.digest,
    lookupKey: lookup.keyId,
    copyText: copy?.ciphertext ?? null,
    copyNonce: copy?.nonce ?? null,
    copyKey: copy?.keyId ?? null,
  });
