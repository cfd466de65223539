import type { Knex } from 'knex';
import type { Queryable, Tx } from '../db/database.ts';
import { bytes, cached, defineTable, flag, instant, nullable, text, whole } from '../db/table.ts';
import type { Codec } from '../db/table.ts';
import type { HubProblem } from '../network/index.ts';
import { foldText } from '../shared/search-text.ts';
import type { CatalogueItem, HubOffer } from './catalogue-item.ts';

/** There is one of it. */
const PLACE = 1;

const readings = defineTable('marketplace_reading', {
  place: whole,
  hub: text,
  generation: whole,
  nextAt: instant,
  readAt: nullable(instant),
  triedAt: nullable(instant),
  failures: whole,
  failingSince: nullable(instant),
  problem: nullable(text as Codec<HubProblem>),
  total: whole,
  offers: cached<HubOffer[]>(),
});
export type Reading = Omit<ReturnType<typeof readings.decode>, 'place'>;

const plugins = defineTable('marketplace_plugin', {
  id: text,
  generation: whole,
  sortName: text,
  isFree: flag,
  downloads: whole,
  stars: whole,
  addedAt: instant,
  updatedAt: instant,
  searchText: text,
  item: cached<CatalogueItem>(),
});
const pictures = defineTable('marketplace_picture', { sha256: text, content: bytes });

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

type Row = Record<string, unknown>;
const MOST_TAGS = 20;
const ROWS_AT_ONCE = 50;

export async function findReading(db: Queryable): Promise<Reading | null> {
  const row = (await db.knex(readings.name).where({ place: PLACE }).first()) as Row | undefined;
  return row ? readings.decode(row) : null;
}

/** Another hub's catalogue is not this one's. */
export async function beginReading(tx: Tx, hub: string, now: number): Promise<void> {
  const fresh = { hub, generation: 0, nextAt: now, failures: 0, total: 0, offers: [] };
  await tx
    .knex(readings.name)
    .insert(readings.encode({ place: PLACE, ...fresh }))
    .onConflict('place')
    .ignore();
  const other = await tx
    .knex(readings.name)
    .where({ place: PLACE })
    .whereNot({ hub })
    .update({ ...readings.encode(fresh), read_at: null, tried_at: null, failing_since: null, problem: null });
  if (other === 1) await tx.knex(plugins.name).delete();
}

/** One process of the cluster reads. */
export async function claimReading(tx: Tx, { now, until }: { now: number; until: number }): Promise<boolean> {
  const claimed = await tx
    .knex(readings.name)
    .where({ place: PLACE })
    .where('next_at', '<=', now)
    .update(readings.encode({ nextAt: until }));
  return claimed === 1;
}

export async function noteReading(tx: Tx, seen: Partial<Reading>): Promise<void> {
  await tx.knex(readings.name).where({ place: PLACE }).update(readings.encode(seen));
}

export async function putItems(
  tx: Tx,
  items: readonly CatalogueItem[],
  { generation }: { generation: number },
): Promise<void> {
  const rows = items.map((item) => plugins.encode({ ...rowOf(item), generation }));
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    await tx
      .knex(plugins.name)
      .insert(rows.slice(at, at + ROWS_AT_ONCE))
      .onConflict('id')
      .merge();
  const ids = items.map(({ id }) => id);
  await tx.knex('marketplace_tag').whereIn('plugin_id', ids).delete();
  const tags = items.flatMap(tagsOf);
  if (tags.length > 0)
    await tx.knex('marketplace_tag').insert(tags).onConflict(['tag', 'plugin_id']).ignore();
}

/** Until the next reading. */
export async function putAverage(
  tx: Tx,
  item: CatalogueItem,
  { stars, ratings }: Pick<CatalogueItem, 'stars' | 'ratings'>,
): Promise<void> {
  const { stars: sorted } = rowOf({ ...item, stars });
  const change = { stars: sorted, item: { ...item, stars, ratings } };
  await tx.knex(plugins.name).where({ id: item.id }).update(plugins.encode(change));
}

/** What the last reading has not met is gone from the hub. */
export async function deleteOlder(tx: Tx, generation: number): Promise<void> {
  await tx.knex(plugins.name).where('generation', '<', generation).delete();
}

export async function findItem(db: Queryable, id: string): Promise<CatalogueItem | null> {
  const row = (await db.knex(plugins.name).where({ id }).first()) as Row | undefined;
  return row ? plugins.decode(row).item : null;
}

export async function findItems(db: Queryable, ids: readonly string[]): Promise<CatalogueItem[]> {
  const rows = (await db.knex(plugins.name).whereIn('id', [...ids])) as Row[];
  return rows.flatMap((row) => plugins.decode(row).item ?? []);
}

/** One more than asked for tells that it goes on. */
export async function searchItems(
  db: Queryable,
  wish: Wish,
  { offset, limit }: { offset: number; limit: number },
): Promise<CatalogueItem[]> {
  const [by, direction] = orders[wish.sort];
  const ids = wished(db, wish).select('id').orderBy(by, direction).orderBy('id').offset(offset).limit(limit);
  const order = ((await ids) as Row[]).map(({ id }) => String(id));
  const found = new Map((await findItems(db, order)).map((item) => [item.id, item]));
  return order.flatMap((id) => found.get(id) ?? []);
}

export async function countItems(db: Queryable, wish: Wish): Promise<number> {
  const row = (await wished(db, wish).count({ count: '*' }).first()) as Row | undefined;
  return Number(row?.['count'] ?? 0);
}

export async function listTags(db: Queryable): Promise<{ tag: string; label: string; count: number }[]> {
  const rows = (await db
    .knex('marketplace_tag')
    .select('tag')
    .min({ label: 'label' })
    .count({ count: '*' })
    .groupBy('tag')
    .orderBy([{ column: 'count', order: 'desc' }, 'tag'])
    .limit(MOST_TAGS)) as Row[];
  return rows.map(({ tag, label, count }) => ({
    tag: String(tag),
    label: String(label),
    count: Number(count),
  }));
}

function wished(db: Queryable, { words, tag, only }: Wish): Knex.QueryBuilder<Row> {
  const all: Knex.QueryBuilder<Row> = db.knex<Row>(plugins.name);
  for (const word of foldText(words).split(' ').filter(Boolean).slice(0, 6))
    void all.where('search_text', 'like', `%${word}%`);
  if (tag !== '') void all.whereIn('id', db.knex('marketplace_tag').select('plugin_id').where({ tag }));
  if (only !== '') void all.where({ is_free: only === 'free' ? 1 : 0 });
  return all;
}

export async function missingPictures(db: Queryable, wanted: readonly string[]): Promise<string[]> {
  const rows = (await db
    .knex(pictures.name)
    .select('sha256')
    .whereIn('sha256', [...wanted])) as Row[];
  const known = new Set(rows.map(({ sha256 }) => String(sha256)));
  return [...new Set(wanted)].filter((sha256) => !known.has(sha256));
}

export async function insertPicture(tx: Tx, picture: { sha256: string; content: Buffer }): Promise<void> {
  await tx.knex(pictures.name).insert(pictures.encode(picture)).onConflict('sha256').ignore();
}

export async function findPicture(db: Queryable, sha256: string): Promise<Buffer | null> {
  const row = (await db.knex(pictures.name).where({ sha256 }).first()) as Row | undefined;
  return row ? pictures.decode(row).content : null;
}

/** False when it had been told already. */
export async function noteTold(
  tx: Tx,
  { pluginId, version, now }: { pluginId: string; version: string; now: number },
): Promise<boolean> {
  const where = { plugin_id: pluginId, version };
  if (await tx.knex('marketplace_told').where(where).first('version')) return false;
  await tx
    .knex('marketplace_told')
    .insert({ ...where, told_at: now })
    .onConflict(['plugin_id', 'version'])
    .ignore();
  return true;
}

function rowOf(item: CatalogueItem): Omit<ReturnType<typeof plugins.decode>, 'generation'> {
  const words = Object.values(item.words).flatMap(({ name, description }) => [name, description]);
  return {
    id: item.id,
    sortName: foldText(item.words['en']?.name ?? item.id).slice(0, 120),
    isFree: item.requiredOffers.length === 0,
    downloads: item.downloads,
    stars: Math.round(item.stars * 100),
    addedAt: item.addedAt,
    updatedAt: item.updatedAt,
    searchText: foldText(item.id, item.publisher, ...item.tags, ...words).slice(0, 2000),
    item,
  };
}

const tagsOf = ({ id, tags }: CatalogueItem): { tag: string; plugin_id: string; label: string }[] =>
  tags.map((label) => ({ tag: foldText(label).replaceAll(' ', '-').slice(0, 60), plugin_id: id, label }));
