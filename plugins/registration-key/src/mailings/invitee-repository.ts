import {
  column,
  defineTable,
  readPage,
  type Page,
  type PageRequest,
  type Queryable,
  type Tx,
} from 'latchkey/plugin-api';

const { instant, nullable, oneOf, text, whole } = column;

export const deliveryStates = [
  'queued',
  'sending',
  'handed-over',
  'failed',
  'dead',
  'off',
  'unknown',
] as const;
export type DeliveryState = (typeof deliveryStates)[number];

const invitees = defineTable('invite_invitee', {
  id: text,
  keyId: text,
  entityId: text,
  email: text,
  emailNorm: text,
  locale: nullable(text),
  mailId: nullable(text),
  mails: whole,
  firstAt: instant,
  lastAt: instant,
  delivery: oneOf(...deliveryStates),
  reply: nullable(text),
  leftAt: nullable(instant),
  /** When its delivery was last asked after; null once there is nothing left to hear. */
  watchedAt: nullable(instant),
  remindedAt: nullable(instant),
  renewedAt: nullable(instant),
  joinedAt: nullable(instant),
});

/** An address that a key was mailed to, however often, and what became of it. */
export type Invitee = ReturnType<typeof invitees.decode>;

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

/** One more mail to this address; the first makes the row. */
export async function noteMail(
  tx: Tx,
  mail: Pick<Invitee, 'id' | 'keyId' | 'entityId' | 'email' | 'emailNorm' | 'locale' | 'mailId'> & {
    at: number;
  },
): Promise<string> {
  const { at, ...facts } = mail;
  const again = await tx
    .knex(invitees.name)
    .where({ key_id: mail.keyId, email_norm: mail.emailNorm })
    .update({
      ...invitees.encode({
        mailId: mail.mailId,
        lastAt: at,
        delivery: 'queued',
        watchedAt: at,
      }),
      reply: null,
      left_at: null,
      mails: tx.knex.raw('mails + 1'),
    });
  if (again === 1) {
    const row = await tx
      .knex(invitees.name)
      .where({ key_id: mail.keyId, email_norm: mail.emailNorm })
      .first<Row>('id');
    return String(row['id']);
  }
  await tx.knex(invitees.name).insert(
    invitees.encode({
      ...facts,
      mails: 1,
      firstAt: at,
      lastAt: at,
      delivery: 'queued',
      reply: null,
      leftAt: null,
      watchedAt: at,
      remindedAt: null,
      renewedAt: null,
      joinedAt: null,
    }),
  );
  return mail.id;
}

export async function findInvitee(db: Queryable, id: string): Promise<Invitee | null> {
  const row = (await db.knex(invitees.name).select(invitees.columns).where({ id }).first()) as
    Row | undefined;
  return row ? invitees.decode(row) : null;
}

export async function findInvitees(db: Queryable, ids: readonly string[]): Promise<Map<string, Invitee>> {
  if (ids.length === 0) return new Map();
  const rows = (await db
    .knex(invitees.name)
    .select(invitees.columns)
    .whereIn('id', [...ids])) as Row[];
  return new Map(rows.map(invitees.decode).map((invitee) => [invitee.id, invitee]));
}

/** Of these addresses, those that this key was mailed to. */
export async function findInvited(
  db: Queryable,
  keyId: string,
  emailNorms: readonly string[],
): Promise<Invitee[]> {
  if (emailNorms.length === 0) return [];
  const rows = (await db
    .knex(invitees.name)
    .select(invitees.columns)
    .where({ key_id: keyId })
    .whereIn('email_norm', [...emailNorms])) as Row[];
  return rows.map(invitees.decode);
}

export interface InviteeFilter {
  keyId?: string;
  roundId?: string;
  delivery?: readonly DeliveryState[];
  joined?: boolean;
}

/** For another query, by what became of the mail. */
export const inviteesWith = (db: Queryable, heard: Pick<InviteeFilter, 'delivery' | 'joined'>): Query =>
  restrict(db, heard).select(db.knex.raw('1'));

function restrict(db: Queryable, { keyId, roundId, delivery, joined }: InviteeFilter): Query {
  const query: Query = db.knex(invitees.name);
  if (keyId !== undefined) query.where('invite_invitee.key_id', keyId);
  if (roundId !== undefined)
    query.whereIn(
      'invite_invitee.id',
      db
        .knex('invite_round_line')
        .select('invitee_id')
        .where({ round_id: roundId })
        .whereNotNull('invitee_id'),
    );
  if (delivery) query.whereIn('delivery', [...delivery]);
  if (joined === true) query.whereNotNull('joined_at');
  if (joined === false) query.whereNull('joined_at');
  return query;
}

export async function listInvitees(
  db: Queryable,
  filter: InviteeFilter,
  page: PageRequest,
): Promise<Page<Invitee>> {
  return readPage(db, restrict(db, filter), { table: invitees, order: newestFirst }, page);
}

const newestFirst: { column: string; order: 'desc' }[] = [
  { column: 'last_at', order: 'desc' },
  { column: 'id', order: 'desc' },
];

/** One after another by id, for rounds that write to all of them. */
export async function inviteesAfter(
  db: Queryable,
  filter: InviteeFilter & { after: string },
  limit: number,
): Promise<Invitee[]> {
  const rows = (await restrict(db, filter)
    .select(invitees.columns)
    .where('id', '>', filter.after)
    .orderBy('id')
    .limit(limit)) as Row[];
  return rows.map(invitees.decode);
}

export type DeliveryCounts = Record<DeliveryState, number> & { joined: number; total: number };

export async function countDeliveries(db: Queryable, filter: InviteeFilter): Promise<DeliveryCounts> {
  const rows = await restrict(db, filter)
    .groupBy('delivery')
    .select<{ delivery: DeliveryState; count: unknown; joined: unknown }[]>(
      'delivery',
      db.knex.raw('count(*) as count, count(joined_at) as joined'),
    );
  const counts: DeliveryCounts = {
    queued: 0,
    sending: 0,
    'handed-over': 0,
    failed: 0,
    dead: 0,
    off: 0,
    unknown: 0,
    joined: 0,
    total: 0,
  };
  for (const { delivery, count, joined } of rows) {
    counts[delivery] = Number(count);
    counts.joined += Number(joined);
    counts.total += Number(count);
  }
  return counts;
}

/** How many mails each of these addresses was sent since then, over all keys. */
export async function countMails(
  db: Queryable,
  emailNorms: readonly string[],
  since: number,
): Promise<Map<string, number>> {
  if (emailNorms.length === 0) return new Map();
  const rows = await db
    .knex('invite_mailing')
    .whereIn('email_norm', [...emailNorms])
    .where('at', '>', since)
    .groupBy('email_norm')
    .select<{ email_norm: string; count: unknown }[]>('email_norm', db.knex.raw('count(*) as count'));
  return new Map(rows.map(({ email_norm: emailNorm, count }) => [emailNorm, Number(count)]));
}

/** Those whose mail is still on its way, longest not asked after first: of many that wait, those that leave first. */
export async function listWatched(
  db: Queryable,
  limit: number,
): Promise<Pick<Invitee, 'id' | 'mailId' | 'delivery' | 'reply'>[]> {
  const rows = (await db
    .knex(invitees.name)
    .select(invitees.columns)
    .whereNotNull('watched_at')
    .orderBy('watched_at')
    .limit(limit)) as Row[];
  return rows.map(invitees.decode);
}

/** Unless another mail was written meanwhile. */
export async function noteDelivery(
  tx: Tx,
  { id, mailId }: Pick<Invitee, 'id' | 'mailId'>,
  heard: Pick<Invitee, 'delivery' | 'reply' | 'leftAt' | 'watchedAt'>,
): Promise<void> {
  await tx.knex(invitees.name).where({ id, mail_id: mailId }).update(invitees.encode(heard));
}

export async function noteWatched(tx: Tx, ids: readonly string[], at: number): Promise<void> {
  if (ids.length > 0)
    await tx
      .knex(invitees.name)
      .whereIn('id', [...ids])
      .whereNotNull('watched_at')
      .update({ watched_at: at });
}

export async function noteJoined(tx: Tx, keyId: string, emailNorm: string, at: number): Promise<void> {
  const joined = 'joined_at = ? WHERE key_id = ? AND email_norm = ? AND joined_at IS NULL';
  await tx.write(`UPDATE ${invitees.name} SET ${joined}`, [at, keyId, emailNorm]);
}

/** Once for each invitee, whoever else tries. */
export async function markOnce(
  tx: Tx,
  id: string,
  mark: 'reminded_at' | 'renewed_at',
  at: number,
): Promise<boolean> {
  const marked = await tx
    .knex(invitees.name)
    .where({ id })
    .whereNull(mark)
    .whereNull('joined_at')
    .update({ [mark]: at });
  return marked === 1;
}

/** People who have not joined, of keys that end soon. Never reminded, and not written to since `quietSince`. */
export async function listToRemind(
  db: Queryable,
  {
    now,
    endsBefore,
    quietSince,
    after,
  }: { now: number; endsBefore: number; quietSince: number; after: string },
  limit: number,
): Promise<Invitee[]> {
  const rows = (await db
    .knex(invitees.name)
    .join('invite_key', 'invite_key.id', 'invite_invitee.key_id')
    .select(invitees.columns)
    .where('invite_key.expires_at', '>', now)
    .where('invite_key.expires_at', '<=', endsBefore)
    .whereNull('invite_key.revoked_at')
    .whereNull('invite_key.paused_at')
    .whereNull('invite_invitee.joined_at')
    .whereNull('invite_invitee.reminded_at')
    .where('invite_invitee.last_at', '<=', quietSince)
    .where('invite_invitee.delivery', 'handed-over')
    .where('invite_invitee.id', '>', after)
    .orderBy('invite_invitee.id')
    .limit(limit)) as Row[];
  return rows.map(invitees.decode);
}
