import type { Knex } from 'knex';
import type { Queryable, Tx } from '../db/database.ts';
import { foldText } from '../shared/search-text.ts';
import type { CatalogueItem } from './catalogue-item.ts';

export const sorts = ['downloads', 'name', 'stars', 'updated', 'added'] as const;
export type Sort = (typeof sorts)[number];
const orders: Record<Sort, [string, 'asc' | 'desc']> = {
  downloads: ['downloads', 'desc'],
  name: ['sort_name', 'asc'],
  stars: ['stars', 'desc'],
  updated: ['updated_at', 'desc'],
  added: ['added_at', 'desc'],
};

export interface Wish {
  words: string;
  tag: string;
  only: '' | 'free' | 'premium';
  sort: Sort;
}

export interface TagCount {
  tag: string;
  label: string;
  count: number;
}

type Row = Record<string, unknown>;

const PLUGINS = 'marketplace_plugin';
const MOST_TAGS = 20;
/** SQLite takes five hundred at most. */
const ROWS_AT_ONCE = 200;
const MOST_WORDS = 6;
/** More plugins than this have a word that narrows nothing. */
const CROWD = 2_500;
/** Beyond a thousand a list says "1,000+". */
const MOST_COUNTED = 1_001;
/** Sorts behind every text that begins as it does. */
const LAST = '\u{10ffff}';

/** Of all that is wished for, in its order: a range, and how many there are, counted as far as a list says. */
export async function searchIds(
  db: Queryable,
  wish: Wish,
  { offset, limit }: { offset: number; limit: number },
): Promise<{ ids: string[]; total: number }> {
  const crowds = await crowdsOf(db, wish);
  const [by, direction] = orders[wish.sort];
  const found = (await wished(db, wish, crowds)
    .select('id')
    .orderBy(by, direction)
    .orderBy('id', direction)
    .offset(offset)
    .limit(limit)) as Row[];
  const some = wished(db, wish, crowds).select('id').limit(MOST_COUNTED).as('some');
  const counted = (await db.knex.from(some).count({ count: '*' }).first()) as Row | undefined;
  return { ids: found.map(({ id }) => String(id)), total: Number(counted?.['count'] ?? 0) };
}

/** As they were counted when the catalogue was read. */
export async function listTags(db: Queryable): Promise<TagCount[]> {
  const rows = (await db
    .knex('marketplace_tag_count')
    .orderBy([{ column: 'plugins', order: 'desc' }, 'tag'])
    .limit(MOST_TAGS)) as Row[];
  return rows.map(({ tag, label, plugins }) => ({
    tag: String(tag),
    label: String(label),
    count: Number(plugins),
  }));
}

/** What these plugins are found by from now on. */
export async function putWords(tx: Tx, items: readonly CatalogueItem[]): Promise<void> {
  const ids = items.map(({ id }) => id);
  for (const [table, rows] of [
    ['marketplace_word', items.flatMap(wordRowsOf)],
    ['marketplace_tag', items.flatMap(tagRowsOf)],
  ] as const) {
    await tx.knex(table).whereIn('plugin_id', ids).delete();
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
      await tx
        .knex(table)
        .insert(rows.slice(at, at + ROWS_AT_ONCE))
        .onConflict(primaryOf[table])
        .ignore();
  }
}

const primaryOf = { marketplace_word: ['word', 'plugin_id'], marketplace_tag: ['tag', 'plugin_id'] };

export async function countTags(tx: Tx): Promise<void> {
  await tx.knex('marketplace_tag_count').delete();
  const counted = tx
    .knex('marketplace_tag')
    .select('tag')
    .min('label')
    .count('*')
    .groupBy('tag')
    .orderByRaw('count(*) desc')
    .limit(MOST_TAGS);
  await tx
    .knex(tx.knex.raw('?? (??, ??, ??)', ['marketplace_tag_count', 'tag', 'label', 'plugins']))
    .insert(counted);
}

interface Crowd {
  word: string;
  size: number;
}

/** How many have each of the words, the rarest first. */
async function crowdsOf(db: Queryable, { words }: Wish): Promise<Crowd[]> {
  const asked = [...new Set(foldText(words).split(' ').filter(Boolean))].slice(0, MOST_WORDS);
  const crowds = await Promise.all(asked.map(async (word) => ({ word, size: await crowdOf(db, word) })));
  return crowds.toSorted((one, other) => one.size - other.size);
}

/** Begins with the rarest word where that is rare; what many plugins have is asked of each one that is met on the way. */
function wished(
  db: Queryable,
  { tag, only }: Wish,
  [rarest, ...more]: readonly Crowd[],
): Knex.QueryBuilder<Row> {
  const all: Knex.QueryBuilder<Row> = db.knex<Row>(PLUGINS);
  const others = [...more];
  if (rarest && rarest.size < CROWD)
    void all.whereIn('id', beginningWith(db, rarest.word).select('plugin_id'));
  else if (rarest) others.push(rarest);
  for (const { word } of others)
    void all.whereExists(
      beginningWith(db, word)
        .select('word')
        .where('plugin_id', db.knex.ref(`${PLUGINS}.id`)),
    );
  if (tag !== '') void all.whereIn('id', db.knex('marketplace_tag').select('plugin_id').where({ tag }));
  if (only !== '') void all.where({ is_free: only === 'free' ? 1 : 0 });
  return all;
}

const beginningWith = (db: Queryable, word: string): Knex.QueryBuilder<Row> =>
  db.knex<Row>('marketplace_word').whereBetween('word', [word, `${word}${LAST}`]);

async function crowdOf(db: Queryable, word: string): Promise<number> {
  const some = beginningWith(db, word).select('plugin_id').limit(CROWD).as('some');
  const row = (await db.knex.from(some).count({ count: '*' }).first()) as Row | undefined;
  return Number(row?.['count'] ?? 0);
}

const wordRowsOf = (item: CatalogueItem): { word: string; plugin_id: string }[] =>
  [...new Set(searchTextOf(item).split(' '))].filter(Boolean).map((word) => ({ word, plugin_id: item.id }));

export function searchTextOf({ id, publisher, tags, words }: CatalogueItem): string {
  const said = Object.values(words).flatMap(({ name, description }) => [name, description]);
  return foldText(id, publisher, ...tags, ...said).slice(0, 2000);
}

const tagRowsOf = ({ id, tags }: CatalogueItem): { tag: string; plugin_id: string; label: string }[] =>
  tags.map((label) => ({ tag: foldText(label).replaceAll(' ', '-').slice(0, 60), plugin_id: id, label }));
