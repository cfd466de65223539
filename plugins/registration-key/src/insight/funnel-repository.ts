import type { Host, Queryable, Tx } from 'latchkey/plugin-api';

export type FunnelStep = 'followed' | 'scanned' | 'typed' | 'opened' | 'started' | 'failed';

export interface FunnelCount {
  keyId: string;
  /** Empty for the key's own link. */
  copyId: string;
  step: FunnelStep;
  reason: string;
  amount: number;
}

const TABLE = 'invite_funnel';
const DAY_MS = 86_400_000;
/** So many rows a transaction: none is held for long. */
const PORTION = 200;

type Row = Record<string, unknown>;

/** Adds, never sets: every node writes its own share of the same numbers. */
export async function addToFunnel(host: Host, counts: readonly FunnelCount[], now: number): Promise<void> {
  const day = Math.floor(now / DAY_MS);
  for (let from = 0; from < counts.length; from += PORTION) {
    const portion = [...counts.slice(from, from + PORTION)].sort((one, other) =>
      one.keyId.localeCompare(other.keyId),
    );
    await host.transaction(async (tx) => {
      for (const count of portion) await add(tx, day, count);
    });
  }
}

async function add(tx: Tx, day: number, { amount, keyId, copyId, step, reason }: FunnelCount): Promise<void> {
  const where = { key_id: keyId, copy_id: copyId, day, step, reason };
  await tx
    .knex(TABLE)
    .insert({ ...where, amount: 0 })
    .onConflict(['key_id', 'copy_id', 'day', 'step', 'reason'])
    .ignore();
  await tx
    .knex(TABLE)
    .where(where)
    .update({ amount: tx.knex.raw('amount + ?', [amount]) });
}

export async function readFunnel(
  db: Queryable,
  keyId: string,
): Promise<{ copyId: string; step: FunnelStep; reason: string; amount: number }[]> {
  const rows = await db
    .knex(TABLE)
    .where({ key_id: keyId })
    .groupBy('copy_id', 'step', 'reason')
    .select<Row[]>('copy_id', 'step', 'reason', db.knex.raw('sum(amount) as amount'));
  return rows.map((row) => ({
    copyId: String(row['copy_id']),
    step: row['step'] as FunnelStep,
    reason: String(row['reason']),
    amount: Number(row['amount']),
  }));
}

/** Whether somebody's first ticket has been counted; written once a person. */
export async function rememberFirstTicket(
  tx: Tx,
  first: { userId: string; ticketId: string; at: number },
): Promise<void> {
  const seats = await tx
    .knex('invite_redemption')
    .where({ user_id: first.userId, status: 'active' })
    .select<Row[]>('id', 'key_id');
  for (const seat of seats) {
    await tx
      .knex('invite_first_ticket')
      .insert({
        redemption_id: seat['id'],
        key_id: seat['key_id'],
        ticket_id: first.ticketId,
        at: first.at,
      })
      .onConflict('redemption_id')
      .ignore();
  }
}

export async function countFirstTickets(db: Queryable, keyId: string): Promise<number> {
  const row = await db
    .knex('invite_first_ticket')
    .where({ key_id: keyId })
    .count<{ amount: unknown }[]>({ amount: '*' })
    .first();
  return Number((row as Row | undefined)?.['amount'] ?? 0);
}
