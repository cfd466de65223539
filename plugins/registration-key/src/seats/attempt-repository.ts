import {
  column,
  defineTable,
  findRow,
  insertRows,
  type Queryable,
  type Sealed,
  type Tx,
} from 'latchkey/plugin-api';
import { CODE_TRIES, type Attempt } from './redemption.ts';

const { bytes, instant, nullable, text, whole } = column;

const attempts = defineTable('invite_attempt', {
  id: text,
  keyId: text,
  redemptionId: nullable(text),
  redeemId: text,
  codeTries: whole,
  codeUntil: instant,
  sends: whole,
  sentAt: nullable(instant),
  endsAt: instant,
  at: instant,
});

/** What must not travel: whose it is, which browser sent it, what proves the address. */
const hidden = defineTable('invite_attempt', {
  addressMac: bytes,
  browser: nullable(bytes),
  linkLookup: nullable(bytes),
  codeDigest: nullable(bytes),
  draftText: nullable(bytes),
  draftNonce: nullable(bytes),
  draftKey: nullable(whole),
});

export interface Proofs {
  linkLookup: Buffer | null;
  codeDigest: Buffer | null;
}

export interface AttemptSecrets extends Proofs {
  addressMac: Buffer;
  browser: Buffer | null;
  draft: Sealed | null;
}

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

export async function insertAttempt(
  tx: Tx,
  attempt: Attempt,
  { draft, ...secrets }: AttemptSecrets,
): Promise<void> {
  await insertRows(tx, attempts.name, [
    { ...attempts.encode(attempt), ...hidden.encode(secrets), ...draftColumns(draft) },
  ]);
}

const find = async (db: Queryable, restrict: (query: Query) => void): Promise<Attempt | null> => {
  const query: Query = db.knex.queryBuilder().from(attempts.name).select(attempts.columns);
  restrict(query);
  const row = (await query.first()) as Row | undefined;
  return row ? attempts.decode(row) : null;
};

export const findAttempt = (db: Queryable, id: string): Promise<Attempt | null> =>
  find(db, (query) => void query.where({ id }));

export async function findAttemptByRedeemId(
  db: Queryable,
  keyId: string,
  redeemId: string,
): Promise<Attempt | null> {
  const sent = { key_id: keyId, redeem_id: redeemId };
  const row = await findRow(db, attempts.name, attempts.columns, sent);
  return row ? attempts.decode(row) : null;
}

export const findAttemptByLink = (db: Queryable, digests: readonly Buffer[]): Promise<Attempt | null> =>
  find(db, (query) => void query.whereIn('link_lookup', [...digests]));

/** The newest attempt that this browser made with this key. */
export const findAttemptOfBrowser = (
  db: Queryable,
  keyId: string,
  digests: readonly Buffer[],
): Promise<Attempt | null> =>
  find(
    db,
    (query) =>
      void query
        .where({ key_id: keyId })
        .whereIn('browser', [...digests])
        .orderBy('id', 'desc'),
  );

/** The newest attempt for a seat whose draft is still there. */
export const findAttemptOfSeat = (db: Queryable, redemptionId: string): Promise<Attempt | null> =>
  find(
    db,
    (query) =>
      void query.where({ redemption_id: redemptionId }).whereNotNull('draft_text').orderBy('id', 'desc'),
  );

export async function readSecrets(db: Queryable, id: string): Promise<AttemptSecrets | null> {
  const row = (await db.knex(attempts.name).select(hidden.columns).where({ id }).first()) as Row | undefined;
  if (!row) return null;
  const { draftText, draftNonce, draftKey, ...secrets } = hidden.decode(row);
  const isWhole = draftText !== null && draftNonce !== null && draftKey !== null;
  return {
    ...secrets,
    draft: isWhole ? { keyId: draftKey, nonce: draftNonce, ciphertext: draftText } : null,
  };
}

/** Counts one try of the code; false when there is none left. Counted before it is compared, so that tries at once do not slip through. */
export async function spendTry(tx: Tx, id: string, now: number): Promise<boolean> {
  const spent = await tx
    .knex(attempts.name)
    .where({ id })
    .where('code_tries', '<', CODE_TRIES)
    .where('code_until', '>', now)
    .update({ code_tries: tx.knex.raw('code_tries + 1') });
  return spent === 1;
}

/** New proofs after "send again"; the old link and code are dead. */
export async function renewProofs(
  tx: Tx,
  id: string,
  { sends, proofs, now, codeUntil }: { sends: number; proofs: Proofs; now: number; codeUntil: number },
): Promise<boolean> {
  const renewed = await tx
    .knex(attempts.name)
    .where({ id, sends })
    .update({
      ...attempts.encode({ sends: sends + 1, sentAt: now, codeTries: 0, codeUntil }),
      ...hidden.encode(proofs),
    });
  return renewed === 1;
}

/** With `before`, only if it is still the draft that was read. */
export async function replaceDraft(
  tx: Tx,
  id: string,
  draft: Sealed,
  { before }: { before?: Sealed } = {},
): Promise<boolean> {
  const write = tx.knex(attempts.name).where({ id });
  if (before) void write.where({ draft_nonce: before.nonce });
  return (await write.update(draftColumns(draft))) === 1;
}

/** Somebody waits for an administrator: their draft is kept until there is an answer. */
export async function keepAttempt(tx: Tx, id: string, endsAt: number): Promise<void> {
  await tx.knex(attempts.name).where({ id }).update(attempts.encode({ endsAt }));
}

/** The drafts of a seat, once they have become a person or nothing; redeem ids stay so that a repeat is recognised. */
export async function eraseDrafts(
  tx: Tx,
  redemptionId: string,
  options: { except?: string } = {},
): Promise<void> {
  const write = tx.knex(attempts.name).where({ redemption_id: redemptionId });
  if (options.except !== undefined) write.whereNot({ id: options.except });
  await write.update({ ...hidden.encode({ linkLookup: null, codeDigest: null }), ...draftColumns(null) });
}

export async function deleteEnded(tx: Tx, now: number, limit: number): Promise<number> {
  const rows = await tx.knex(attempts.name).where('ends_at', '<=', now).limit(limit).select<Row[]>('id');
  if (rows.length === 0) return 0;
  return tx
    .knex(attempts.name)
    .whereIn(
      'id',
      rows.map(({ id }) => String(id)),
    )
    .delete();
}

const draftColumns = (draft: Sealed | null): Record<string, unknown> =>
  hidden.encode({
    draftText: draft?.ciphertext ?? null,
    draftNonce: draft?.nonce ?? null,
    draftKey: draft?.keyId ?? null,
  });
