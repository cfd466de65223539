import type { Sealed } from '../crypto/key-ring.ts';
import type { Database, Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, instant, nullable, oneOf, text, whole } from '../db/table.ts';
import { readPage } from '../db/pages.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import { mailStates, type MailDelivery, type MailState } from './mail.ts';

const mails = defineTable('mail', {
  id: text,
  kind: text,
  reference: nullable(text),
  recipient: text,
  state: oneOf(...mailStates),
  attempts: whole,
  fence: whole,
  dueAt: instant,
  writtenAt: instant,
  leftAt: nullable(instant),
  reply: nullable(text),
  problem: nullable(text),
  keyId: nullable(whole),
  nonce: nullable(bytes),
  ciphertext: nullable(bytes),
});

type MailRow = ReturnType<typeof mails.decode>;

export interface ClaimedMail {
  id: string;
  kind: string;
  recipient: string;
  attempts: number;
  fence: number;
  sealed: Sealed | null;
}

const WAITING: MailState[] = ['queued', 'failed', 'sending'];
const erased = { keyId: null, nonce: null, ciphertext: null };

interface NewMail {
  id: string;
  kind: string;
  reference: string | null;
  recipient: string;
  writtenAt: number;
}

export async function insertMail(tx: Tx, mail: NewMail, sealed: Sealed | null): Promise<void> {
  const row = {
    ...mail,
    attempts: 0,
    fence: 0,
    dueAt: mail.writtenAt,
    leftAt: null,
    reply: null,
    problem: null,
  };
  const state = sealed ? ('queued' as const) : ('off' as const);
  await tx.knex(mails.name).insert(mails.encode({ ...row, state, ...(sealed ?? erased) }));
}

/** Takes mails that are due; `dueAt` is the end of the lease while one is being sent. */
export async function claimMails(
  db: Database,
  { now, leaseMs, limit }: { now: number; leaseMs: number; limit: number },
): Promise<ClaimedMail[]> {
  const rows = (await db
    .knex(mails.name)
    .whereIn('state', WAITING)
    .where('due_at', '<=', now)
    .whereNotExists(db.knex('background_hold').select(db.knex.raw('1')))
    .orderBy('due_at')
    .limit(limit)) as Record<string, unknown>[];
  if (rows.length === 0) return [];
  return db.transaction(async (tx) => {
    const claimed: ClaimedMail[] = [];
    for (const { id, fence, attempts, ...mail } of rows.map(mails.decode)) {
      const mine = {
        state: 'sending' as const,
        attempts: attempts + 1,
        fence: fence + 1,
        dueAt: now + leaseMs,
      };
      const took = await tx
        .knex(mails.name)
        .where({ id, fence })
        .whereIn('state', WAITING)
        .update(mails.encode(mine));
      if (took === 1)
        claimed.push({ ...mail, id, fence: mine.fence, attempts: mine.attempts, sealed: sealedOf(mail) });
    }
    return claimed;
  });
}

function sealedOf({
  keyId,
  nonce,
  ciphertext,
}: Pick<MailRow, 'keyId' | 'nonce' | 'ciphertext'>): Sealed | null {
  return keyId !== null && nonce && ciphertext ? { keyId, nonce, ciphertext } : null;
}

/** What was sent is erased, in the same write that says so. */
export async function recordHandedOver(
  tx: Tx,
  { id, fence }: ClaimedMail,
  { at, reply }: { at: number; reply: string },
): Promise<boolean> {
  const change = mails.encode({ state: 'handed-over', leftAt: at, reply, problem: null, ...erased });
  return (await tx.knex(mails.name).where({ id, fence, state: 'sending' }).update(change)) === 1;
}

export async function recordFailure(
  tx: Tx,
  { id, fence }: ClaimedMail,
  failure: { state: 'failed' | 'dead'; dueAt: number; problem: string; reply: string | null },
): Promise<boolean> {
  return (
    (await tx.knex(mails.name).where({ id, fence, state: 'sending' }).update(mails.encode(failure))) === 1
  );
}

/** Puts what failed, or was given up, at the front of the queue. */
export async function requeueMail(tx: Tx, id: string, now: number): Promise<boolean> {
  const changed = await tx
    .knex(mails.name)
    .where({ id })
    .whereIn('state', ['failed', 'dead'])
    .whereNotNull('ciphertext')
    .update(mails.encode({ state: 'queued', attempts: 0, dueAt: now }));
  return changed === 1;
}

export async function findDelivery(db: Queryable, id: string): Promise<MailDelivery | null> {
  const row = (await db.knex(mails.name).where({ id }).first()) as Record<string, unknown> | undefined;
  return row ? deliveryOf(mails.decode(row)) : null;
}

export async function findDeliveries(db: Queryable, ids: readonly string[]): Promise<MailDelivery[]> {
  if (ids.length === 0) return [];
  const rows = (await db.knex(mails.name).whereIn('id', ids)) as Record<string, unknown>[];
  return rows.map((row) => deliveryOf(mails.decode(row)));
}

/** Of all mails about one thing, the newest. */
export async function findLatestDelivery(db: Queryable, reference: string): Promise<MailDelivery | null> {
  const row = (await db.knex(mails.name).where({ reference }).orderBy('id', 'desc').first()) as
    Record<string, unknown> | undefined;
  return row ? deliveryOf(mails.decode(row)) : null;
}

export async function listDeliveries(
  db: Queryable,
  { state, ...page }: PageRequest & { state?: MailState | undefined },
): Promise<Page<MailDelivery>> {
  const wanted = db.knex(mails.name).where(state ? { state } : {});
  const read = await readPage(db, wanted, { table: mails, order: [{ column: 'id', order: 'desc' }] }, page);
  return { ...read, items: read.items.map(deliveryOf) };
}

export interface MailStats {
  waiting: number;
  dead: number;
  oldestAt: number | null;
}

export async function mailStats(db: Queryable): Promise<MailStats> {
  const rows: { state: string; count: unknown; oldest: unknown }[] = await db
    .knex(mails.name)
    .whereIn('state', [...WAITING, 'dead'])
    .groupBy('state')
    .select('state', db.knex.raw('COUNT(*) AS count, MIN(written_at) AS oldest'));
  const waiting = rows.filter(({ state }) => state !== 'dead');
  return {
    waiting: waiting.reduce((sum, { count }) => sum + Number(count), 0),
    dead: Number(rows.find(({ state }) => state === 'dead')?.count ?? 0),
    oldestAt: waiting.length === 0 ? null : Math.min(...waiting.map(({ oldest }) => Number(oldest))),
  };
}

/** Old rows go; what was given up loses its content long before. */
export async function sweepMails(
  tx: Tx,
  { before, eraseBefore }: { before: number; eraseBefore: number },
): Promise<void> {
  await tx
    .knex(mails.name)
    .where({ state: 'dead' })
    .where('due_at', '<', eraseBefore)
    .whereNotNull('ciphertext')
    .update(mails.encode(erased));
  await tx
    .knex(mails.name)
    .whereIn('state', ['handed-over', 'dead', 'off'])
    .where('written_at', '<', before)
    .delete();
}

const deliveryOf = (row: MailRow): MailDelivery => ({
  id: row.id,
  kind: row.kind,
  reference: row.reference,
  recipient: row.recipient,
  state: row.state,
  attempts: row.attempts,
  writtenAt: row.writtenAt,
  dueAt: row.dueAt,
  leftAt: row.leftAt,
  reply: row.reply,
  problem: row.problem,
  canRetry: row.ciphertext !== null && (row.state === 'failed' || row.state === 'dead'),
});
