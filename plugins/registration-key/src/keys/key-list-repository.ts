import { COUNT_LIMIT, offsetOf, type Page, type PageRequest, type Queryable } from 'latchkey/plugin-api';
import type { InvitationKey } from './invitation-key.ts';
import type { Sort, State, Tab } from './key-filter.ts';
import { countUpTo, decodeKey, readableColumns } from './key-repository.ts';
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

const by = (column: string, order: 'asc' | 'desc'): { column: string; order: 'asc' | 'desc' } => ({
  column: `invite_key.${column}`,
  order,
});
/** The id at the end keeps pages apart when much else is equal. */
const orders: Record<Sort, ReturnType<typeof by>[]> = {
  newest: [by('created_at', 'desc'), by('id', 'desc')],
  oldest: [by('created_at', 'asc'), by('id', 'asc')],
  ending: [by('expires_at', 'asc'), by('id', 'asc')],
  used: [by('last_used_at', 'desc'), by('id', 'desc')],
  label: [by('label', 'asc'), by('id', 'asc')],
};

/** So few that they are read and sorted faster than the list is walked through. */
const FEW = COUNT_LIMIT;

export async function listKeys(
  db: Queryable,
  filter: KeyFilter,
  page: PageRequest,
  now: number,
): Promise<Page<InvitationKey>> {
  const { query: wanted } = await narrowed(db, filter, now);
  const ids: string[] = await wanted
    .clone()
    .orderBy(orders[filter.sort ?? 'newest'])
    .limit(page.perPage)
    .offset(offsetOf(page))
    .pluck('invite_key.id');
  const rows = (await db.knex('invite_key').select(readableColumns).whereIn('id', ids)) as Row[];
  const found = new Map(rows.map(decodeKey).map((key) => [key.id, key]));
  const items = ids.flatMap((id) => found.get(id) ?? []);
  return { items, ...page, total: await countUpTo(db, wanted) };
}

export async function countTabs(
  db: Queryable,
  filter: Omit<KeyFilter, 'tab'>,
  now: number,
): Promise<Record<Tab, number>> {
  const count = async (tab: Tab): Promise<number> =>
    countUpTo(db, (await narrowed(db, { ...filter, tab }, now)).query);
  return {
    active: await count('active'),
    scheduled: await count('scheduled'),
    finished: await count('finished'),
    all: await count('all'),
  };
}

/**
 * A list is walked through newest first, which is quick as long as many fit. When one part of the filter fits few, those are looked up
 * first: no planner knows beforehand, so each part is asked for one more than `FEW`, by an index of its own.
 */
async function narrowed(db: Queryable, filter: KeyFilter, now: number): Promise<{ query: Query }> {
  const all = [
    ...placeParts(db, filter),
    ...wordParts(db, filter.search),
    ...tabParts(db, filter.tab, now),
    ...(filter.state === undefined ? [] : stateParts(db, filter.state, now)),
  ];
  for (const parts of all) {
    const few = await fewOf(parts);
    if (few !== null)
      return { query: restrict(db.knex('invite_key'), filter, now).whereIn('invite_key.id', few) };
  }
  // In an object: a query that is awaited runs.
  return { query: restrict(walked(db, filter.sort ?? 'newest'), filter, now) };
}

/** In the order of the list, whatever the planner thinks: it would sort half a million to show twenty-five. */
function walked(db: Queryable, sort: Sort): Query {
  const hint =
    db.dialect.name === 'sqlite' ? `INDEXED BY ${indexOf[sort]}` : `FORCE INDEX (${indexOf[sort]})`;
  return db.knex(db.knex.raw(`invite_key ${hint}`));
}

const indexOf: Record<Sort, string> = {
  newest: 'invite_key_by_time',
  oldest: 'invite_key_by_time',
  ending: 'invite_key_by_expiry',
  used: 'invite_key_by_use',
  label: 'invite_key_by_label',
};

function placeParts(db: Queryable, { entities, ownerId }: KeyFilter): Query[][] {
  const keys = (): Query => db.knex('invite_key').select('id');
  return [
    ...(entities === 'all' ? [] : [[keys().whereIn('entity_id', [...entities])]]),
    ...(ownerId === undefined ? [] : [[keys().where({ owner_id: ownerId })]]),
  ];
}

/** All keys that one of these finds; null when they are many. */
async function fewOf(parts: readonly Query[]): Promise<string[] | null> {
  const ids = new Set<string>();
  for (const part of parts) {
    const rows = (await part.limit(FEW + 1)) as Row[];
    for (const { id } of rows) ids.add(String(id));
    if (ids.size > FEW) return null;
  }
  return [...ids];
}

function wordParts(db: Queryable, search: string): Query[][] {
  const beginning = (word: string): Query => {
    const rows: Query = db.knex('invite_key_word');
    return rows.select({ id: 'key_id' }).where('word', '>=', word).where('word', '<', afterAll(word));
  };
  return askedWords(search).map((word) => [beginning(word)]);
}

function tabParts(db: Queryable, tab: Tab, now: number): Query[][] {
  const keys = (): Query => db.knex('invite_key').select('id');
  switch (tab) {
    case 'all':
      return [];
    case 'scheduled':
      return [[keys().where('not_before', '>', now)]];
    case 'finished':
      return [
        [
          keys().where('is_full', 1),
          keys().where('revoked_at', '>', 0),
          keys().where('expires_at', '<=', now),
        ],
      ];
    case 'active': {
      const open = (): Query => keys().where('is_full', 0).whereNull('revoked_at');
      return [[open().whereNull('expires_at'), open().where('expires_at', '>', now)]];
    }
  }
}

function stateParts(db: Queryable, state: State, now: number): Query[][] {
  const keys = (): Query => db.knex('invite_key').select('id');
  switch (state) {
    case 'paused':
    case 'needs-approval':
      return [[keys().where('paused_at', '>', 0)]];
    case 'expired':
      return [[keys().where('expires_at', '<=', now)]];
    case 'used-up':
      return [[keys().where('is_full', 1)]];
    case 'revoked':
      return [[keys().where('revoked_at', '>', 0)]];
    case 'custom':
      return [[keys().where('weak', 1)]];
    case 'member':
      return [[keys().where('by_member', 1)]];
  }
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
