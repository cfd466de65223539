import type { Knex } from 'knex';
import type { Queryable, Tx } from '../db/database.ts';
import { findRow, insertRows } from '../db/statements.ts';
import { defineTable, instant, nullable, oneOf, text, whole } from '../db/table.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import { readPage } from '../db/pages.ts';
import { foldText, searchWords } from '../shared/search-text.ts';
import { themes, type User, type UserStatus } from './user.ts';

const users = defineTable('users', {
  id: text,
  number: whole,
  email: text,
  emailNorm: text,
  name: text,
  locale: text,
  timeZone: nullable(text),
  theme: oneOf(...themes),
  status: oneOf('active', 'disabled'),
  emailVerifiedAt: nullable(instant),
  authEpoch: whole,
  version: whole,
  createdAt: instant,
  lastSeenAt: nullable(instant),
  anonymisedAt: nullable(instant),
  endsAt: nullable(instant),
});

type Row = Record<string, unknown>;

const decodeFirst = (row: Row | undefined): User | null => (row ? users.decode(row) : null);

export async function findUser(db: Queryable, id: string): Promise<User | null> {
  return decodeFirst(await findRow(db, users.name, users.columns, { id }));
}

export async function findUserByEmail(db: Queryable, emailNorm: string): Promise<User | null> {
  return decodeFirst(await findRow(db, users.name, users.columns, { email_norm: emailNorm }));
}

export async function findUsersByEmail(db: Queryable, emailNorms: readonly string[]): Promise<User[]> {
  if (emailNorms.length === 0) return [];
  const rows = (await db.knex(users.name).select(users.columns).whereIn('email_norm', emailNorms)) as Row[];
  return rows.map(users.decode);
}

export async function findUserByNumber(db: Queryable, number: number): Promise<User | null> {
  return decodeFirst((await db.knex(users.name).first(users.columns).where({ number })) as Row | undefined);
}

export async function findUsers(db: Queryable, ids: readonly string[]): Promise<User[]> {
  if (ids.length === 0) return [];
  const rows = (await db.knex(users.name).select(users.columns).whereIn('id', ids)) as Row[];
  return rows.map(users.decode);
}

/** The one reader of hashes: for checking a password, and for nothing that is shown. */
export async function findPasswordHash(db: Queryable, userId: string): Promise<string | null> {
  const row = (await db.knex(users.name).first('password_hash').where({ id: userId })) as
    { password_hash: string | null } | undefined;
  return row?.password_hash ?? null;
}

export async function insertUser(
  tx: Tx,
  user: User,
  { passwordHash }: { passwordHash: string | null },
): Promise<void> {
  const secret = { password_hash: passwordHash };
  await insertRows(tx, users.name, [{ ...users.encode(user), ...secret, search_text: searchTextOf(user) }]);
}

export interface UserFacts {
  email: string;
  emailNorm: string;
  name: string;
  locale: string;
  timeZone: string | null;
  theme: User['theme'];
  emailVerifiedAt: number | null;
}

/** False when somebody else has changed the account since `version`. */
export async function updateUser(
  tx: Tx,
  { id, version }: { id: string; version: number },
  facts: UserFacts,
): Promise<boolean> {
  const changed = await tx
    .knex(users.name)
    .where({ id, version })
    .update({ ...users.encode(facts), search_text: searchTextOf(facts), version: version + 1 });
  return changed === 1;
}

/** A new end has not been announced yet. */
export async function setEnd(tx: Tx, id: string, endsAt: number | null): Promise<void> {
  await tx
    .knex(users.name)
    .where({ id })
    .update({ ends_at: endsAt, end_told_at: null, version: tx.knex.raw('version + 1') });
}

export async function listEndingSoon(
  db: Queryable,
  { now, until, limit }: { now: number; until: number; limit: number },
): Promise<User[]> {
  const rows = (await db
    .knex(users.name)
    .select(users.columns)
    .where({ status: 'active' })
    .whereNull('end_told_at')
    .where('ends_at', '>', now)
    .where('ends_at', '<=', until)
    .orderBy('ends_at')
    .limit(limit)) as Row[];
  return rows.map(users.decode);
}

/** True for the one who may announce it. */
export async function markEndTold(tx: Tx, { id, endsAt }: User, now: number): Promise<boolean> {
  const marked = await tx
    .knex(users.name)
    .where({ id, ends_at: endsAt })
    .whereNull('end_told_at')
    .update({ end_told_at: now });
  return marked === 1;
}

export async function listEnded(db: Queryable, now: number, limit: number): Promise<User[]> {
  const rows = (await db
    .knex(users.name)
    .select(users.columns)
    .where({ status: 'active' })
    .where('ends_at', '<=', now)
    .orderBy('ends_at')
    .limit(limit)) as Row[];
  return rows.map(users.decode);
}

/** Open accounts, counted no further than `most`. */
export async function countActive(db: Queryable, most: number): Promise<number> {
  const some = db.knex(users.name).where({ status: 'active' }).select('id').limit(most);
  const row: { total: unknown } = await db.knex.from(some.as('some')).first(db.knex.raw('COUNT(*) AS total'));
  return Number(row.total);
}

/** Ends all sessions and tokens with the same write. */
export async function setStatus(tx: Tx, id: string, from: UserStatus, to: UserStatus): Promise<boolean> {
  const changed = await tx
    .knex(users.name)
    .where({ id, status: from })
    .whereNull('anonymised_at')
    .update({ status: to, ...raised(tx) });
  return changed === 1;
}

export async function setPasswordHash(tx: Tx, id: string, passwordHash: string): Promise<void> {
  await tx
    .knex(users.name)
    .where({ id })
    .update({ password_hash: passwordHash, ...raised(tx) });
}

/** The same password, hashed with today's parameters; nobody is signed out. */
export async function replaceHash(
  tx: Tx,
  id: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  await tx.knex(users.name).where({ id, password_hash: from }).update({ password_hash: to });
}

export async function endAllCredentials(tx: Tx, id: string): Promise<void> {
  await tx.knex(users.name).where({ id }).update(raised(tx));
}

/** An address whose mailbox was shown to be theirs. */
export async function setEmail(
  tx: Tx,
  id: string,
  { email, emailNorm, verifiedAt }: { email: string; emailNorm: string; verifiedAt: number },
): Promise<void> {
  const user = await findUser(tx, id);
  await tx
    .knex(users.name)
    .where({ id })
    .update({
      email,
      email_norm: emailNorm,
      email_verified_at: verifiedAt,
      version: tx.knex.raw('version + 1'),
      search_text: searchTextOf({ name: user?.name ?? '', emailNorm }),
    });
}

export async function touchUser(tx: Tx, id: string, at: number): Promise<void> {
  await tx.knex(users.name).where({ id }).update({ last_seen_at: at });
}

/** What remains is the row that history points at. */
export async function anonymiseUser(tx: Tx, id: string, label: string, at: number): Promise<boolean> {
  const placeholder = `${id.toLowerCase()}@anonymous.invalid`;
  const changed = await tx
    .knex(users.name)
    .where({ id })
    .whereNull('anonymised_at')
    .update({
      email: placeholder,
      email_norm: placeholder,
      name: label,
      password_hash: null,
      status: 'disabled',
      email_verified_at: null,
      last_seen_at: null,
      anonymised_at: at,
      search_text: '',
      ...raised(tx),
    });
  return changed === 1;
}

export interface UserFilter {
  search?: string | undefined;
  status?: UserStatus | undefined;
  profileId?: string | undefined;
  groupId?: string | undefined;
}

/** By name; only people who hold a grant in these entities, unless all may be seen. */
export async function listUsers(
  db: Queryable,
  filter: UserFilter & { entities: 'all' | readonly string[] },
  page: PageRequest,
): Promise<Page<User>> {
  const found = db.knex(users.name).whereNull('users.anonymised_at').modify(matching, db, filter);
  return readPage(
    db,
    found,
    { table: users, order: [{ column: 'users.name' }, { column: 'users.id' }] },
    page,
  );
}

function matching(
  query: Knex.QueryBuilder,
  db: Queryable,
  { search, status, profileId, groupId, entities }: UserFilter & { entities: 'all' | readonly string[] },
): void {
  if (status) void query.where('users.status', status);
  if (search) void query.modify(searching, db, search);
  if (groupId) {
    const members = db.knex('group_members').where({ group_id: groupId }).select('user_id');
    void query.whereIn('users.id', members);
  }
  if (profileId !== undefined || entities !== 'all') {
    const holders = db.knex('grants').select('user_id');
    if (profileId !== undefined) void holders.where({ profile_id: profileId });
    if (entities !== 'all') void holders.whereIn('entity_id', entities);
    void query.whereIn('users.id', holders);
  }
}

function searching(query: Knex.QueryBuilder, db: Queryable, search: string): void {
  const words = searchWords(search);
  if (words.length > 0) {
    const { sql, bindings } = db.dialect.search.condition(users.name, words);
    void query.whereRaw(sql, bindings);
    return;
  }
  const beginning = foldText(search);
  if (beginning === '') void query.whereRaw('1 = 0');
  else void query.where('users.search_text', 'like', `${beginning}%`);
}

const raised = ({ knex }: Tx): Record<string, Knex.Raw> => ({
  auth_epoch: knex.raw('auth_epoch + 1'),
  version: knex.raw('version + 1'),
});

const searchTextOf = ({ name, emailNorm }: { name: string; emailNorm: string }): string =>
  foldText(name, emailNorm);
