import { column, defineTable, type Mac, type Queryable, type Tx } from 'latchkey/plugin-api';

const { bytes, instant, nullable, text, whole } = column;

const mailings = defineTable('invite_mailing', {
  id: text,
  keyId: text,
  generation: whole,
  email: text,
  emailNorm: text,
  mailId: nullable(text),
  sentBy: nullable(text),
  at: instant,
});
const secrets = defineTable('invite_mailing', { lookup: bytes, lookupKey: whole });

/** One mailed invitation. Its own secret opens the key and proves the mailbox it went to. */
export type Mailing = ReturnType<typeof mailings.decode>;

type Row = Record<string, unknown>;

export async function insertMailing(tx: Tx, mailing: Mailing, { digest, keyId }: Mac): Promise<void> {
  const secret = secrets.encode({ lookup: digest, lookupKey: keyId });
  await tx.knex(mailings.name).insert({ ...mailings.encode(mailing), ...secret });
}

export async function findMailing(db: Queryable, id: string): Promise<Mailing | null> {
  const row = (await db.knex(mailings.name).select(mailings.columns).where({ id }).first()) as
    Row | undefined;
  return row ? mailings.decode(row) : null;
}

export async function findMailingByLookup(
  db: Queryable,
  digests: readonly Buffer[],
): Promise<Mailing | null> {
  const row = (await db
    .knex(mailings.name)
    .select(mailings.columns)
    .whereIn('lookup', [...digests])
    .first()) as Row | undefined;
  return row ? mailings.decode(row) : null;
}

/** Which keys these addresses were ever mailed. */
export async function findMailedKeys(
  db: Queryable,
  emailNorms: readonly string[],
): Promise<{ emailNorm: string; keyId: string }[]> {
  if (emailNorms.length === 0) return [];
  const rows = await db
    .knex(mailings.name)
    .whereIn('email_norm', [...emailNorms])
    .groupBy('email_norm', 'key_id')
    .select<Row[]>('email_norm', 'key_id');
  return rows.map((row) => ({ emailNorm: String(row['email_norm']), keyId: String(row['key_id']) }));
}
