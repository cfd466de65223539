import {
  column,
  countUpTo,
  defineTable,
  findRow,
  insertRows,
  readPage,
  type Page,
  type PageRequest,
  type Queryable,
  type Tx,
} from 'latchkey/plugin-api';
import type { Redemption, RedemptionStatus } from './redemption.ts';

const { bytes, instant, nullable, oneOf, text, whole } = column;

const redemptions = defineTable('invite_redemption', {
  id: text,
  keyId: text,
  entityId: text,
  seat: whole,
  status: oneOf('pending_email', 'pending_approval', 'active', 'released', 'declined'),
  how: oneOf('new', 'existing'),
  userId: nullable(text),
  attemptId: nullable(text),
  holdUntil: nullable(instant),
  at: instant,
  settledAt: nullable(instant),
  decidedBy: nullable(text),
  decisionNote: nullable(text),
  network: text,
  inviterId: nullable(text),
});

/** Whom the seat is for, as a keyed digest: found again, but not read. `addressSlot` is empty once the seat is given back. */
const addresses = defineTable('invite_redemption', { addressMac: bytes, addressSlot: nullable(bytes) });

type Row = Record<string, unknown>;

export async function findRedemption(db: Queryable, id: string): Promise<Redemption | null> {
  const row = (await db.knex(redemptions.name).select(redemptions.columns).where({ id }).first()) as
    Row | undefined;
  return row ? redemptions.decode(row) : null;
}

/** The seat that this address holds or has on this key. */
export async function findByAddress(
  db: Queryable,
  keyId: string,
  digests: readonly Buffer[],
): Promise<Redemption | null> {
  for (const digest of digests) {
    const held = { key_id: keyId, address_slot: digest };
    const row = await findRow(db, redemptions.name, redemptions.columns, held);
    if (row) return redemptions.decode(row);
  }
  return null;
}

export async function findByUser(db: Queryable, keyId: string, userId: string): Promise<Redemption | null> {
  const row = (await db
    .knex(redemptions.name)
    .select(redemptions.columns)
    .where({ key_id: keyId, user_id: userId })
    .first()) as Row | undefined;
  return row ? redemptions.decode(row) : null;
}

export async function insertRedemption(
  tx: Tx,
  redemption: Omit<Redemption, 'settledAt' | 'decidedBy' | 'decisionNote'>,
  address: Buffer,
): Promise<void> {
  const settledAt = redemption.status === 'active' ? redemption.at : null;
  await insertRows(tx, redemptions.name, [
    {
      ...redemptions.encode({ ...redemption, settledAt }),
      ...addresses.encode({ addressMac: address, addressSlot: address }),
    },
  ]);
}

/** From one status to the next, once, whoever else tries. A seat that is given back forgets whose it was. */
export async function moveRedemption(
  tx: Tx,
  id: string,
  from: RedemptionStatus,
  to: Partial<
    Pick<
      Redemption,
      'status' | 'userId' | 'attemptId' | 'holdUntil' | 'settledAt' | 'decidedBy' | 'decisionNote'
    >
  >,
): Promise<boolean> {
  const freed =
    to.status === 'released' || to.status === 'declined' ? addresses.encode({ addressSlot: null }) : {};
  const moved = await tx
    .knex(redemptions.name)
    .where({ id, status: from })
    .update({ ...redemptions.encode(to), ...freed });
  return moved === 1;
}

export async function listLapsed(db: Queryable, now: number, limit: number): Promise<Redemption[]> {
  const rows = (await db
    .knex(redemptions.name)
    .select(redemptions.columns)
    .where({ status: 'pending_email' })
    .where('hold_until', '<=', now)
    .orderBy('hold_until')
    .limit(limit)) as Row[];
  return rows.map(redemptions.decode);
}

export interface RedemptionFilter {
  keyId?: string;
  statuses?: readonly RedemptionStatus[];
  userIds?: readonly string[];
  entities?: 'all' | readonly string[];
}

export async function listRedemptions(
  db: Queryable,
  { keyId, statuses, userIds, entities = 'all' }: RedemptionFilter,
  page: PageRequest,
): Promise<Page<Redemption>> {
  const wanted = db.knex(redemptions.name);
  if (keyId !== undefined) wanted.where({ key_id: keyId });
  if (statuses) wanted.whereIn('status', [...statuses]);
  if (userIds) wanted.whereIn('user_id', [...userIds]);
  if (entities !== 'all') wanted.whereIn('entity_id', [...entities]);
  return readPage(db, wanted, { table: redemptions, order: newestFirst }, page);
}

const newestFirst: { column: string; order: 'desc' }[] = [
  { column: 'at', order: 'desc' },
  { column: 'id', order: 'desc' },
];

/** From where these seats were taken, as far as it is still known. */
export async function networksOfRedemptions(
  db: Queryable,
  keyId: string,
  seats: readonly number[],
): Promise<Map<number, string>> {
  if (seats.length === 0) return new Map();
  const rows = await db
    .knex(redemptions.name)
    .where({ key_id: keyId })
    .whereIn('seat', [...seats])
    .select<Row[]>('seat', 'network');
  return new Map(rows.map((row) => [Number(row['seat']), String(row['network'])]));
}

export type SeatCounts = Record<RedemptionStatus, number>;

/** Who has joined is what the key has counted, less those who are on their way: nothing here walks through a million seats. */
export async function countByStatus(db: Queryable, keyId: string): Promise<SeatCounts> {
  const count = (status: RedemptionStatus): Promise<number> =>
    countUpTo(db, db.knex(redemptions.name).where({ key_id: keyId, status }));
  const [pendingEmail, pendingApproval] = [await count('pending_email'), await count('pending_approval')];
  const [key] = await db.knex('invite_key').where({ id: keyId }).select<Row[]>('uses');
  return {
    pending_email: pendingEmail,
    pending_approval: pendingApproval,
    active: Math.max(0, Number(key?.['uses'] ?? 0) - pendingEmail - pendingApproval),
    released: await count('released'),
    declined: await count('declined'),
  };
}

/** Whether somebody who came after this moment waits for an approver. */
export async function isSomebodyWaiting(db: Queryable, keyId: string, since: number): Promise<boolean> {
  const row: unknown = await db
    .knex(redemptions.name)
    .where({ key_id: keyId, status: 'pending_approval' })
    .where('at', '>', since)
    .first('id');
  return row !== undefined;
}

/** When people joined, for the chart. */
export async function joinTimes(db: Queryable, keyId: string, since: number): Promise<number[]> {
  const rows = await db
    .knex(redemptions.name)
    .where({ key_id: keyId, status: 'active' })
    .where('settled_at', '>=', since)
    .orderBy('settled_at')
    .limit(10_000)
    .select<Row[]>('settled_at');
  return rows.map((row) => Number(row['settled_at']));
}

/** The keys by which somebody came in or was added, newest first. */
export async function keysJoinedBy(db: Queryable, userId: string, limit: number): Promise<string[]> {
  const rows = await db
    .knex(redemptions.name)
    .where({ user_id: userId, status: 'active' })
    .orderBy('at', 'desc')
    .limit(limit)
    .select<Row[]>('key_id');
  return rows.map((row) => String(row['key_id']));
}
