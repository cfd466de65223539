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
/** Of more plugins than this the first of a list are met sooner by walking along its order than by picking out all that fit. */
const CROWD = 500;
/** How many of those may be asked for that way; behind them one would walk past too many. */
const PART_OF_CROWD = 8;
/** Beyond a thousand a list says "1,000+". */
const MOST_COUNTED = 1_001;
/** Sorts behind every text that begins as it does. */
const LAST = '\u{10ffff}';

/** How much there is of what: how many fit, counted as far as a list says, and which, where few have the rarest mark; that one is first. */
interface Extent {
  marks: readonly Mark[];
  total: number;
  few: readonly string[] | null;
}

const MOST_EXTENTS = 200;

/** What was counted since the catalogue was last read: who pages on, or asks what somebody has asked, does not wait for it again. */
export class Extents {
  readonly #known = new Map<string, Promise<Extent>>();
  #reading = '';

  /** Of another reading nothing is known yet. */
  asOf(reading: string): this {
    if (reading !== this.#reading) this.#known.clear();
    this.#reading = reading;
    return this;
  }

  find({ words, tag, only }: Wish, count: () => Promise<Extent>): Promise<Extent> {
    const name = JSON.stringify([words, tag, only]);
    const known = this.#known.get(name);
    if (known) return known;
    if (this.#known.size >= MOST_EXTENTS) this.#known.clear();
    const counted = count();
    this.#known.set(name, counted);
    counted.catch(() => this.#known.delete(name));
    return counted;
  }
}

/** Of all that is wished for, in its order: a range, and how many there are, counted as far as a list says. */
export async function searchIds(
  db: Queryable,
  wish: Wish,
  range: { offset: number; limit: number },
  extents: Extents,
): Promise<{ ids: string[]; total: number }> {
  const { marks, total, few } = await extents.find(wish, () => extentOf(db, wish));
  const inOrder = async (all: Knex.QueryBuilder<Row>): Promise<string[]> => {
    const [by, direction] = orders[wish.sort];
    const ordered = all.select('id').orderBy(by, direction).orderBy('id', direction);
    const found = (await ordered.offset(range.offset).limit(range.limit)) as Row[];
    return found.map(({ id }) => String(id));
  };
  if (total === 0) return { ids: [], total };
  if (few) return { ids: await inOrder(db.knex<Row>(PLUGINS).whereIn('id', few)), total };
  const isCrowd = total >= CROWD && (range.offset + range.limit) * PART_OF_CROWD <= total;
  const all = isCrowd ? walkingAlong(db, wish, marks, placesIn(db, wish.sort)) : pickedOut(db, wish, marks);
  return { ids: await inOrder(all), total };
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

/** What plugins have or have not: a word that begins like this, a tag. There is a table with a row for each that has it. */
interface Mark {
  table: 'marketplace_word' | 'marketplace_tag';
  column: 'word' | 'tag';
  from: string;
  to: string;
}

function marksIn({ words, tag }: Wish): Mark[] {
  const asked = [...new Set(foldText(words).split(' ').filter(Boolean))].slice(0, MOST_WORDS);
  const marks = asked.map((word): Mark => ({
    table: 'marketplace_word',
    column: 'word',
    from: word,
    to: `${word}${LAST}`,
  }));
  return tag === '' ? marks : [...marks, { table: 'marketplace_tag', column: 'tag', from: tag, to: tag }];
}

/** What is rare leaves little to look at for all that comes after it. One mark is the rarest without being counted. */
async function rarestFirst(
  db: Queryable,
  marks: readonly Mark[],
): Promise<{ marks: readonly Mark[]; atMost: number }> {
  if (marks.length < 2) return { marks, atMost: CROWD };
  const sizes = marks.map((mark, at) => {
    const some = having(db, mark).select('plugin_id').limit(CROWD).as('some');
    return db.knex
      .from(some)
      .count('*')
      .as(`size_${String(at)}`);
  });
  const counted = (await db.knex.select(sizes).first()) as Row;
  const sized = marks.map((mark, at) => ({ mark, size: Number(counted[`size_${String(at)}`]) }));
  sized.sort((one, other) => one.size - other.size);
  return { marks: sized.map(({ mark }) => mark), atMost: sized[0]?.size ?? CROWD };
}

async function extentOf(db: Queryable, wish: Wish): Promise<Extent> {
  const { marks, atMost } = await rarestFirst(db, marksIn(wish));
  if (atMost >= CROWD) return { marks, total: await countOf(db, wish, marks), few: null };
  const few = ((await fitting(db, wish, marks)) as Row[]).map((row) => String(row['plugin_id']));
  return { marks, total: few.length, few };
}

async function countOf(db: Queryable, wish: Wish, marks: readonly Mark[]): Promise<number> {
  const all = marks.length === 0 ? walkingAlong(db, wish, []).select('id') : fitting(db, wish, marks);
  const row = (await db.knex.from(all.limit(MOST_COUNTED).as('some')).count({ count: '*' }).first()) as Row;
  return Number(row['count']);
}

/** Each plugin in turn, and whether it has all that is wished for: soon done where many have. */
function walkingAlong(
  db: Queryable,
  { only }: Wish,
  marks: readonly Mark[],
  all: Knex.QueryBuilder<Row> = db.knex<Row>(PLUGINS),
): Knex.QueryBuilder<Row> {
  if (only !== '') void all.where({ is_free: isFree(only) });
  for (const mark of marks) void all.whereRaw('? = 1', [probe(db, mark, `${PLUGINS}.id`)]);
  return all;
}

/** Along the index of an order: MariaDB would rather read all that fit and sort them. */
const placesIn = ({ knex, dialect }: Queryable, sort: Sort): Knex.QueryBuilder<Row> =>
  dialect.name === 'sqlite'
    ? knex<Row>(PLUGINS)
    : knex<Row>(knex.raw(`${PLUGINS} FORCE INDEX (${PLUGINS}_by_${sort})`));

/** All that have it, to be put into their order. */
const pickedOut = (db: Queryable, wish: Wish, marks: readonly Mark[]): Knex.QueryBuilder<Row> =>
  marks.length === 0
    ? walkingAlong(db, wish, marks)
    : db.knex<Row>(PLUGINS).whereIn('id', fitting(db, wish, marks));

/** Begins with those that have the rarest mark and asks each for the others. */
function fitting(
  db: Queryable,
  { only }: Wish,
  [rarest, ...others]: readonly Mark[],
): Knex.QueryBuilder<Row> {
  if (!rarest) throw new RangeError('Nothing narrows it');
  const id = `${rarest.table}.plugin_id`;
  const all = having(db, rarest).distinct('plugin_id');
  for (const mark of others) void all.whereRaw('? = 1', [probe(db, mark, id)]);
  if (only !== '')
    void all.whereRaw('? = ?', [
      db.knex(PLUGINS).select('is_free').where(`${PLUGINS}.id`, db.knex.ref(id)),
      isFree(only),
    ]);
  return all;
}

const having = (db: Queryable, { table, column, from, to }: Mark): Knex.QueryBuilder<Row> =>
  db.knex<Row>(table).whereBetween(column, [from, to]);

/**
 * 1 where that plugin has it. Said like this since MariaDB would make a table of all that have it out of an EXISTS, and, as long as it has
 * not counted what was just read, look through all that begin with a word rather than through the words of one plugin.
 */
const probe = (db: Queryable, { table, column, from, to }: Mark, id: string): Knex.QueryBuilder<Row> =>
  db
    .knex<Row>({ mark: table })
    .select(db.knex.raw('1'))
    .where('mark.plugin_id', db.knex.ref(id))
    .whereRaw(`coalesce(mark.${column}, '') between ? and ?`, [from, to])
    .limit(1);

const isFree = (only: Wish['only']): number => (only === 'free' ? 1 : 0);

const wordRowsOf = (item: CatalogueItem): { word: string; plugin_id: string }[] =>
  [...new Set(searchTextOf(item).split(' '))].filter(Boolean).map((word) => ({ word, plugin_id: item.id }));

export function searchTextOf({ id, publisher, tags, words }: CatalogueItem): string {
  const said = Object.values(words).flatMap(({ name, description }) => [name, description]);
  return foldText(id, publisher, ...tags, ...said).slice(0, 2000);
}

const tagRowsOf = ({ id, tags }: CatalogueItem): { tag: string; plugin_id: string; label: string }[] =>
  tags.map((label) => ({ tag: foldText(label).replaceAll(' ', '-').slice(0, 60), plugin_id: id, label }));
