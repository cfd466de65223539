import { column, defineTable, type Mac, type Queryable, type Sealed, type Tx } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { throughCopy, type Copy } from './copy.ts';

const { bytes, instant, nullable, text, whole } = column;

const copies = defineTable('invite_copy', {
  id: text,
  keyId: text,
  name: text,
  hint: text,
  closedAt: nullable(instant),
  madeBy: text,
  createdAt: instant,
});
const secrets = defineTable('invite_copy', {
  lookup: bytes,
  lookupKey: whole,
  copyText: nullable(bytes),
  copyNonce: nullable(bytes),
  copyKey: nullable(whole),
});
const SEATS = 'invite_copy_seat';

type Row = Record<string, unknown>;

const readable = [...copies.columns, 'invite_copy.copy_key'];
const decode = (row: Row): Copy => ({ ...copies.decode(row), hasText: row['copy_key'] !== null });

async function first(
  db: Queryable,
  restrict: (query: ReturnType<Queryable['knex']['queryBuilder']>) => void,
): Promise<Copy | null> {
  const query = db.knex.queryBuilder().from(copies.name).select(readable);
  restrict(query);
  const row = (await query.first()) as Row | undefined;
  return row ? decode(row) : null;
}

export const findCopy = (db: Queryable, id: string): Promise<Copy | null> =>
  first(db, (query) => void query.where({ id }));

export const findCopyByLookup = (db: Queryable, lookups: readonly Mac[]): Promise<Copy | null> =>
  first(
    db,
    (query) =>
      void query.whereIn(
        'lookup',
        lookups.map(({ digest }) => digest),
      ),
  );

export async function listCopies(db: Queryable, keyId: string): Promise<Copy[]> {
  const rows = (await db
    .knex(copies.name)
    .select(readable)
    .where({ key_id: keyId })
    .orderBy('created_at')
    .orderBy('id')
    .limit(200)) as Row[];
  return rows.map(decode);
}

export async function insertCopy(
  tx: Tx,
  { hasText: _, ...copy }: Copy,
  { lookup, sealed }: { lookup: Mac; sealed: Sealed | null },
): Promise<void> {
  await tx.knex(copies.name).insert({
    ...copies.encode(copy),
    ...secretColumns(lookup, sealed),
  });
}

const secretColumns = (lookup: Mac, sealed: Sealed | null): Row =>
  secrets.encode({
    lookup: lookup.digest,
    lookupKey: lookup.keyId,
    copyText: sealed?.ciphertext ?? null,
    copyNonce: sealed?.nonce ?? null,
    copyKey: sealed?.keyId ?? null,
  });

export async function readSealedText(db: Queryable, id: string): Promise<Sealed | null> {
  const row = (await db.knex(copies.name).select(secrets.columns).where({ id }).first()) as Row | undefined;
  if (!row) return null;
  const { copyText, copyNonce, copyKey } = secrets.decode(row);
  if (copyText === null || copyNonce === null || copyKey === null) return null;
  return { keyId: copyKey, nonce: copyNonce, ciphertext: copyText };
}

/** The same secret under newer keys. */
export async function resealCopy(
  tx: Tx,
  id: string,
  { lookup, copy }: { lookup: Mac; copy: Sealed | null },
): Promise<boolean> {
  return (await tx.knex(copies.name).where({ id }).update(secretColumns(lookup, copy))) === 1;
}

/** Shut or open again, once: false when it is so already. */
export async function moveCopy(tx: Tx, id: string, closedAt: number | null): Promise<boolean> {
  const write = tx.knex(copies.name).where({ id });
  if (closedAt === null) write.whereNotNull('closed_at');
  else write.whereNull('closed_at');
  return (await write.update({ closed_at: closedAt })) === 1;
}

/**
 * Makes every redemption that has judged the key already judge it again, and so see the copy as it is now. It is the key's row that a
 * redemption writes, on whichever node; therefore the closing of a copy writes it too.
 */
export async function touchVersion(tx: Tx, keyId: string): Promise<void> {
  await tx
    .knex('invite_key')
    .where({ id: keyId })
    .update({ version: tx.knex.raw('version + 1') });
}

/** Written with the seat, in its transaction. */
export async function rememberCopy(
  tx: Tx,
  seat: { redemptionId: string; copyId: string; keyId: string },
): Promise<void> {
  await tx.knex(SEATS).insert({ redemption_id: seat.redemptionId, copy_id: seat.copyId, key_id: seat.keyId });
}

/** The key as it is for whoever came by this copy. Read the key first: its version then covers what is read here. */
export async function seenThrough(
  db: Queryable,
  key: InvitationKey,
  copyId: string | null | undefined,
): Promise<InvitationKey> {
  if (copyId === null || copyId === undefined) return key;
  const copy = await findCopy(db, copyId);
  return copy === null ? { ...key, revokedAt: key.revokedAt ?? key.updatedAt } : throughCopy(key, copy);
}

/** The copy by which somebody got this seat. */
export async function copyOfSeat(db: Queryable, redemptionId: string): Promise<string | null> {
  const row = await db.knex(SEATS).where({ redemption_id: redemptionId }).first<Row | undefined>('copy_id');
  return row ? String(row['copy_id']) : null;
}

export interface CopyJoins {
  joined: number;
  pending: number;
}

/** How many came by each copy of a key. */
export async function countByCopy(db: Queryable, keyId: string): Promise<Map<string, CopyJoins>> {
  const rows = await db
    .knex({ s: SEATS })
    .join({ r: 'invite_redemption' }, 'r.id', 's.redemption_id')
    .where('s.key_id', keyId)
    .groupBy('s.copy_id', 'r.status')
    .select<Row[]>('s.copy_id', 'r.status', db.knex.raw('count(*) as amount'));
  const counts = new Map<string, CopyJoins>();
  for (const row of rows) {
    const id = String(row['copy_id']);
    const count = counts.get(id) ?? { joined: 0, pending: 0 };
    if (row['status'] === 'active') count.joined += Number(row['amount']);
    if (String(row['status']).startsWith('pending')) count.pending += Number(row['amount']);
    counts.set(id, count);
  }
  return counts;
}

/** When people joined by each copy, and by the key's own link (`''`), since a moment. */
export async function joinsByCopy(
  db: Queryable,
  keyId: string,
  since: number,
): Promise<{ at: number; copyId: string }[]> {
  const rows = await db
    .knex({ r: 'invite_redemption' })
    .leftJoin({ s: SEATS }, 's.redemption_id', 'r.id')
    .where({ 'r.key_id': keyId, 'r.status': 'active' })
    .where('r.settled_at', '>=', since)
    .limit(10_000)
    .select<Row[]>('r.settled_at', 's.copy_id');
  return rows.map((row) => ({
    at: Number(row['settled_at']),
    copyId: typeof row['copy_id'] === 'string' ? row['copy_id'] : '',
  }));
}
