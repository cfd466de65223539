import {
  COUNT_LIMIT,
  countUpTo,
  offsetOf,
  type Page,
  type PageRequest,
  type Queryable,
} from 'latchkey/plugin-api';
import type { InvitationKey } from './invitation-key.ts';
import { crowdsOf } from './crowds.ts';
import type { Sort, State, Tab } from './key-filter.ts';
import { decodeKey, readableColumns } from './key-repository.ts';
import { afterAll, askedWords } from './key-words.ts';

export interface KeyFilter {
  tab: Tab;
  state?: State | undefined;
  sort?: Sort;
  search: string;
  entities: 'all' | readonly string[];
  /** Only what this person made. */
  ownerId?: string;
}

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

interface By {
  column: string;
  order: 'asc' | 'desc';
}
const by = (column: string, order: 'asc' | 'desc'): By => ({ column: `invite_key.${column}`, order });
/** The id at the end keeps pages apart when much else is equal. */
const orders: Record<Sort, By[]> = {
  newest: [by('created_at', 'desc'), by('id', 'desc')],
  oldest: [by('created_at', 'asc'), by('id', 'asc')],
  ending: [by('expires_at', 'asc'), by('id', 'asc')],
  used: [by('last_used_at', 'desc'), by('id', 'desc')],
  label: [by('label', 'asc'), by('id', 'asc')],
};

/** So few that they are read and sorted faster than the list is walked through. */
const FEW = 2_000;

export async function listKeys(
  db: Queryable,
  filter: KeyFilter,
  page: PageRequest,
  now: number,
): Promise<Page<InvitationKey>> {
  const order = orders[filter.sort ?? 'newest'];
  const [from, to] = [offsetOf(page), offsetOf(page) + page.perPage];
  const few = await fewest(db, filter, now);
  if (few !== null) {
    const ids: string[] = await restrict(among(db, few), filter, now)
      .orderBy(order)
      .limit(Math.max(COUNT_LIMIT + 1, to))
      .pluck('invite_key.id');
    const total = Math.min(ids.length, COUNT_LIMIT + 1);
    return { items: await inOrder(db, ids.slice(from, to)), ...page, total };
  }
  const ids: string[] = await restrict(walked(db, filter, now), filter, now)
    .orderBy(isToBegin(filter) ? order.map(inIndexOfStarts) : order)
    .limit(page.perPage)
    .offset(from)
    .pluck('invite_key.id');
  return { items: await inOrder(db, ids), ...page, total: await countMany(db, filter, now) };
}

async function inOrder(db: Queryable, ids: readonly string[]): Promise<InvitationKey[]> {
  const rows = (await db.knex('invite_key').select(readableColumns).whereIn('id', ids)) as Row[];
  const found = new Map(rows.map(decodeKey).map((key) => [key.id, key]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

export async function countTabs(
  db: Queryable,
  filter: Omit<KeyFilter, 'tab'>,
  now: number,
): Promise<Record<Tab, number>> {
  const count = async (tab: Tab): Promise<number> => {
    const wanted = { ...filter, tab };
    const few = await fewest(db, wanted, now);
    return few === null ? countMany(db, wanted, now) : countUpTo(db, restrict(among(db, few), wanted, now));
  };
  return {
    active: await count('active'),
    scheduled: await count('scheduled'),
    finished: await count('finished'),
    all: await count('all'),
  };
}

/** One part of a filter: these find all keys that fit it, each by an index of its own. */
interface Part {
  name: string;
  finds: Query[];
}

/**
 * A list is walked through newest first, which is quick as long as many fit. When one part of the filter fits few, those are looked up
 * first: no planner knows beforehand, so each part is asked whether it finds more.
 */
async function fewest(db: Queryable, filter: KeyFilter, now: number): Promise<Part | null> {
  const parts = [
    ...placeParts(db, filter),
    ...wordParts(db, filter.search),
    ...tabParts(db, filter.tab, now),
    ...(filter.state === undefined ? [] : [statePart(db, filter.state, now)]),
  ];
  for (const part of parts) {
    const isMany = (): Promise<boolean> => findsMany(db, part);
    if (!(await crowdsOf(db).isCrowd(`part ${part.name}`, now, isMany))) return part;
  }
  return null;
}

async function findsMany(db: Queryable, { finds }: Part): Promise<boolean> {
  let found = 0;
  for (const find of finds) {
    const some = find
      .clone()
      .limit(FEW + 1)
      .as('some');
    const row = (await db.knex.from(some).count({ count: '*' }).first()) as Row | undefined;
    found += Number(row?.['count'] ?? 0);
    if (found > FEW) return true;
  }
  return false;
}

/** First these, then their keys: in that order, whatever the planner thinks. */
function among(db: Queryable, { finds }: Part): Query {
  const [first, ...others] = finds.map((find): Query => db.knex.from(find.clone().as('one')).select('id'));
  const found = first?.union(others).as('few');
  const query: Query = db.knex('few');
  if (found !== undefined) query.from(db.knex.from(found).distinct('id').as('few'));
  return query.joinRaw(`${joinInOrder(db)} invite_key ON invite_key.id = few.id`);
}

const joinInOrder = ({ dialect }: Queryable): string =>
  dialect.name === 'sqlite' ? 'CROSS JOIN' : 'STRAIGHT_JOIN';

/** Counted by a word where there is one: those who have it may all be old. */
async function countMany(db: Queryable, filter: KeyFilter, now: number): Promise<number> {
  const { tab, state, search, entities, ownerId } = filter;
  let counted = 0;
  const isCrowd = await crowdsOf(db).isCrowd(
    JSON.stringify([tab, state, search, entities, ownerId]),
    now,
    async () => {
      const query = restrict(walkedToCount(db, filter, now), filter, now);
      counted = await countUpTo(db, query);
      return counted > COUNT_LIMIT;
    },
  );
  return isCrowd ? COUNT_LIMIT + 1 : counted;
}

function walkedToCount(db: Queryable, filter: KeyFilter, now: number): Query {
  const [word] = askedWords(filter.search);
  if (word === undefined) return walked(db, filter, now);
  const words: Query = db.knex('invite_key_word');
  return words
    .joinRaw(`${joinInOrder(db)} invite_key ON invite_key.id = key_id`)
    .where('word', '>=', word)
    .where('word', '<', afterAll(word))
    .distinct('invite_key.id');
}

/** In the order of the list, whatever the planner thinks: it would sort half a million to show twenty-five. */
function walked(db: Queryable, filter: KeyFilter, now: number): Query {
  const from = (index: string): Query => db.knex(db.knex.raw(`invite_key ${inIndex(db, index)}`));
  if (!isToBegin(filter)) return from(indexOf[filter.sort ?? 'newest']);
  const starts: Query = from(INDEX_OF_STARTS)
    .select({ start_id: 'id', start_created_at: 'created_at' })
    .where('not_before', '>', now);
  return db.knex
    .from(starts.as('starts'))
    .joinRaw(`${joinInOrder(db)} invite_key ON invite_key.id = start_id`);
}

const inIndex = ({ dialect }: Queryable, index: string): string =>
  dialect.name === 'sqlite' ? `INDEXED BY ${index}` : `FORCE INDEX (${index})`;

const indexOf: Record<Sort, string> = {
  newest: 'invite_key_by_time',
  oldest: 'invite_key_by_time',
  ending: 'invite_key_by_expiry',
  used: 'invite_key_by_use',
  label: 'invite_key_by_label',
};

/** One of many has yet to begin: this index tells which without a look at the others. MariaDB never looks into it for that when it walks it backwards, so it is walked for itself. */
const INDEX_OF_STARTS = 'invite_key_by_time_and_start';
const isToBegin = ({ tab, sort = 'newest' }: KeyFilter): boolean =>
  tab === 'scheduled' && indexOf[sort] === indexOf.newest;
const inIndexOfStarts = ({ column, order }: By): By => ({
  column: column.replace('invite_key.', 'start_'),
  order,
});

function placeParts(db: Queryable, { entities, ownerId }: KeyFilter): Part[] {
  const keys = (): Query => db.knex('invite_key').select('id');
  return [
    ...(entities === 'all'
      ? []
      : [{ name: `entities ${entities.join(' ')}`, finds: [keys().whereIn('entity_id', [...entities])] }]),
    ...(ownerId === undefined
      ? []
      : [{ name: `owner ${ownerId}`, finds: [keys().where({ owner_id: ownerId })] }]),
  ];
}

function wordParts(db: Queryable, search: string): Part[] {
  return askedWords(search).map((word) => {
    const rows: Query = db.knex('invite_key_word');
    rows.select({ id: 'key_id' }).where('word', '>=', word).where('word', '<', afterAll(word));
    return { name: `word ${word}`, finds: [rows] };
  });
}

function tabParts(db: Queryable, tab: Tab, now: number): Part[] {
  const keys = (): Query => db.knex('invite_key').select('id');
  switch (tab) {
    case 'all':
      return [];
    case 'scheduled':
      return [{ name: tab, finds: [keys().where('not_before', '>', now)] }];
    case 'finished':
      return [
        {
          name: tab,
          finds: [
            keys().where('is_full', 1),
            keys().where('revoked_at', '>', 0),
            keys().where('expires_at', '<=', now),
          ],
        },
      ];
    case 'active': {
      const open = (): Query => keys().where('is_full', 0).whereNull('revoked_at');
      return [{ name: tab, finds: [open().whereNull('expires_at'), open().where('expires_at', '>', now)] }];
    }
  }
}

function statePart(db: Queryable, state: State, now: number): Part {
  const keys = (): Query => db.knex('invite_key').select('id');
  const found = {
    paused: () => keys().where('paused_at', '>', 0),
    'needs-approval': () => keys().where('paused_at', '>', 0),
    expired: () => keys().where('expires_at', '<=', now),
    'used-up': () => keys().where('is_full', 1),
    revoked: () => keys().where('revoked_at', '>', 0),
    custom: () => keys().where('weak', 1),
    member: () => keys().where('by_member', 1),
  };
  return { name: state, finds: [found[state]()] };
}

function inState(query: Query, state: State, now: number): void {
  if (state !== 'revoked' && state !== 'custom' && state !== 'member') query.whereNull('revoked_at');
  switch (state) {
    case 'paused':
      query.whereNotNull('paused_at').whereNot('paused_reason', 'second-approval');
      break;
    case 'needs-approval':
      query.where('paused_reason', 'second-approval');
      break;
    case 'expired':
      query.where('expires_at', '<=', now);
      break;
    case 'used-up':
      query.where('is_full', 1);
      break;
    case 'revoked':
      query.whereNotNull('revoked_at');
      break;
    case 'custom':
      query.where('weak', 1);
      break;
    case 'member':
      query.where('by_member', 1);
      break;
  }
}

function restrict(query: Query, filter: KeyFilter, now: number): Query {
  const { tab, search, entities, ownerId } = filter;
  query.whereNull('invite_key.deleted_at');
  if (entities !== 'all') query.whereIn('entity_id', [...entities]);
  if (ownerId !== undefined) query.where({ owner_id: ownerId });
  if (filter.state !== undefined) inState(query, filter.state, now);
  for (const word of askedWords(search)) {
    query.where(
      (w) => void w.where('search_text', 'like', `${word}%`).orWhere('search_text', 'like', `% ${word}%`),
    );
  }
  if (tab === 'finished')
    query.where(
      (w) => void w.where('is_full', 1).orWhereNotNull('revoked_at').orWhere('expires_at', '<=', now),
    );
  if (tab === 'active' || tab === 'scheduled') {
    query
      .where('is_full', 0)
      .whereNull('revoked_at')
      .where((w) => void w.whereNull('expires_at').orWhere('expires_at', '>', now));
  }
  if (tab === 'scheduled') query.where('not_before', '>', now);
  if (tab === 'active') query.where((w) => void w.whereNull('not_before').orWhere('not_before', '<=', now));
  return query;
}
