import type { Queryable, Tx } from 'latchkey/plugin-api';

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

/** Addresses that joined by this key after they were mailed it, or for which it was made. */
export async function* addressesJoined(db: Queryable, keyId: string): AsyncGenerator<string> {
  const bound = await db
    .knex('invite_key')
    .where({ id: keyId })
    .whereNotNull('email_norm')
    .pluck<string[]>('email_norm');
  yield* bound;
  const perRead = 1000;
  for (let after = ''; ;) {
    const rows = await db
      .knex('invite_invitee')
      .where({ key_id: keyId })
      .whereNotNull('joined_at')
      .where('id', '>', after)
      .orderBy('id')
      .limit(perRead)
      .select<{ id: string; email_norm: string }[]>('id', 'email_norm');
    for (const row of rows) yield row.email_norm;
    after = rows.at(-1)?.id ?? '';
    if (rows.length < perRead) return;
  }
}

/** What somebody answered, and what a list kept of them, goes; that they joined, stays. */
export async function forgetAnswers(tx: Tx, userId: string, redemptionIds: readonly string[]): Promise<void> {
  await tx.knex('invite_answers').where({ user_id: userId }).delete();
  await tx
    .knex('invite_roster_entry')
    .whereIn('redemption_id', [...redemptionIds])
    .update({ sealed_text: null, sealed_nonce: null, sealed_key: null });
}

/** Wherever this address was written down a placeholder stands: how many were mailed and joined still adds up. */
export async function forgetAddress(tx: Tx, emailNorm: string, joinedBy: readonly string[]): Promise<void> {
  const mailed = tx.knex('invite_mailing').where({ email_norm: emailNorm });
  const keyIds = [...new Set([...joinedBy, ...(await mailed.clone().pluck<string[]>('key_id'))])];
  const placeholder = 'anonymous@anonymous.invalid';
  await mailed.update({ email: placeholder, email_norm: placeholder });
  await tx
    .knex('invite_round_line')
    .where({ email_norm: emailNorm })
    .update({ written: '', email: '', email_norm: null, name: '', staff_number: null });
  await tx
    .knex('invite_request')
    .whereIn('key_id', keyIds)
    .whereNot({ state: 'open' })
    .whereRaw('lower(email) = ?', [emailNorm])
    .update({ name: '', email: '', message: '' });
  for (const { id } of await rowsWith(tx, 'invite_invitee', 'key_id', { keyIds, emailNorm }))
    await tx
      .knex('invite_invitee')
      .where({ id })
      .update({ ...nobody(id), reply: null });
  for (const { id } of await rowsWith(tx, 'invite_key', 'id', { keyIds, emailNorm }))
    await forgetInKey(tx, id);
}

const rowsWith = (
  tx: Tx,
  table: 'invite_invitee' | 'invite_key',
  column: 'key_id' | 'id',
  { keyIds, emailNorm }: { keyIds: readonly string[]; emailNorm: string },
): Promise<{ id: string }[]> =>
  tx
    .knex(table)
    .whereIn(column, [...keyIds])
    .where({ email_norm: emailNorm })
    .select<{ id: string }[]>('id');

const nobody = (id: string): Row => {
  const email = `${id.toLowerCase()}@anonymous.invalid`;
  return { email, email_norm: email };
};

/** A key for one person is for nobody else afterwards: its address becomes one that nobody has. */
async function forgetInKey(tx: Tx, id: string): Promise<void> {
  await tx.knex('invite_key_word').where({ key_id: id }).delete();
  await tx
    .knex('invite_key')
    .where({ id })
    .update({ ...nobody(id), label: '', search_text: '', version: tx.knex.raw('version + 1') });
}
