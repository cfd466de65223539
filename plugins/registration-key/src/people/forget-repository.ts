import type { Queryable, Tx } from 'latchkey/plugin-api';
import { carriesColumn, NOTHING } from '../carries/carries.ts';

type Row = Record<string, unknown>;

/** Where somebody joined, and the keyed digest of the address they joined with. */
export async function seatsOf(
  db: Queryable,
  userId: string,
): Promise<{ id: string; keyId: string; addressMac: Buffer }[]> {
  const rows = await db
    .knex('invite_redemption')
    .where({ user_id: userId })
    .select<{ id: string; key_id: string; address_mac: Uint8Array }[]>('id', 'key_id', 'address_mac');
  return rows.map((row) => ({ id: row.id, keyId: row.key_id, addressMac: Buffer.from(row.address_mac) }));
}

/** Where addresses are written down, those of the fewest rows first. */
const books = [
  'invite_key',
  'invite_request',
  'invite_invitee',
  'invite_round_line',
  'invite_mailing',
] as const;
const PER_READ = 1000;

/** Every address that was typed anywhere, in portions; one may come more than once. */
export async function* addressesKept(db: Queryable): AsyncGenerator<string[]> {
  for (const book of books) {
    const column = book === 'invite_request' ? 'email' : 'email_norm';
    for (let after = ''; ;) {
      const rows = await db
        .knex(book)
        .whereNotNull(column)
        .where('id', '>', after)
        .orderBy('id')
        .limit(PER_READ)
        .select<{ id: string; address: string }[]>('id', { address: column });
      yield rows.map(({ address }) => address);
      after = rows.at(-1)?.id ?? '';
      if (rows.length < PER_READ) break;
    }
  }
}

/** Addresses that joined by this key after they were mailed it, or for which it was made: where most are found. */
export async function addressesJoined(db: Queryable, keyId: string): Promise<string[]> {
  const bound = await db
    .knex('invite_key')
    .where({ id: keyId })
    .whereNotNull('email_norm')
    .pluck<string[]>('email_norm');
  const mailed = await db
    .knex('invite_invitee')
    .where({ key_id: keyId })
    .whereNotNull('joined_at')
    .limit(PER_READ)
    .pluck<string[]>('email_norm');
  return [...bound, ...mailed];
}

/** Requests that this address sent, in whatever spelling. */
export async function requestsOf(
  db: Queryable,
  isTheirs: (email: string) => boolean,
): Promise<{ id: string; isOpen: boolean }[]> {
  const rows = await db
    .knex('invite_request')
    .whereNot({ email: '' })
    .select<{ id: string; email: string; state: string }[]>('id', 'email', 'state');
  return rows
    .filter(({ email }) => isTheirs(email))
    .map(({ id, state }) => ({ id, isOpen: state === 'open' }));
}

/** What somebody answered, and what a list kept of them, goes; that they joined, stays. */
export async function forgetAnswers(tx: Tx, userId: string, redemptionIds: readonly string[]): Promise<void> {
  await tx.knex('invite_answers').where({ user_id: userId }).delete();
  await tx
    .knex('invite_roster_entry')
    .whereIn('redemption_id', [...redemptionIds])
    .update({ sealed_text: null, sealed_nonce: null, sealed_key: null });
}

/** That somebody asked stays; who it was does not, and nobody waits for an answer any more. */
export async function forgetRequests(
  tx: Tx,
  requests: readonly { id: string; isOpen: boolean }[],
  now: number,
): Promise<void> {
  for (const { id, isOpen } of requests)
    await tx
      .knex('invite_request')
      .where({ id })
      .update({
        name: '',
        email: '',
        message: '',
        ...(isOpen ? { state: 'lapsed', decided_at: now, open_slot: null } : {}),
      });
}

/** Wherever this address was written down a placeholder stands: how many were mailed and joined still adds up. */
export async function forgetAddress(tx: Tx, emailNorm: string): Promise<void> {
  const placeholder = 'anonymous@anonymous.invalid';
  await tx
    .knex('invite_mailing')
    .where({ email_norm: emailNorm })
    .update({ email: placeholder, email_norm: placeholder });
  await tx
    .knex('invite_round_line')
    .where({ email_norm: emailNorm })
    .update({ written: '', email: '', email_norm: null, name: '', staff_number: null });
  for (const id of await idsWith(tx, 'invite_invitee', emailNorm))
    await tx
      .knex('invite_invitee')
      .where({ id })
      .update({ ...nobody(id), reply: null });
  for (const id of await idsWith(tx, 'invite_key', emailNorm)) await forgetInKey(tx, id);
}

const idsWith = (tx: Tx, table: 'invite_invitee' | 'invite_key', emailNorm: string): Promise<string[]> =>
  tx.knex(table).where({ email_norm: emailNorm }).pluck<string[]>('id');

const nobody = (id: string): Row => {
  const email = `${id.toLowerCase()}@anonymous.invalid`;
  return { email, email_norm: email };
};

/** A key for one person is for nobody else afterwards: its address becomes one that nobody has, and what it brought for them goes. */
async function forgetInKey(tx: Tx, id: string): Promise<void> {
  await tx.knex('invite_key_word').where({ key_id: id }).delete();
  await tx
    .knex('invite_key')
    .where({ id })
    .update({
      ...nobody(id),
      label: '',
      note: '',
      carries: carriesColumn.encode(NOTHING),
      search_text: '',
      version: tx.knex.raw('version + 1'),
    });
}
