import type { Queryable, Tx } from '../db/database.ts';
import { bytes, cached, defineTable, flag, instant, nullable, text, whole } from '../db/table.ts';
import type { Codec } from '../db/table.ts';
import type { HubProblem } from '../network/index.ts';
import { foldText } from '../shared/search-text.ts';
import type { CatalogueItem, HubOffer } from './catalogue-item.ts';
import { Extents, putWords, searchIds, searchTextOf, type Wish } from './catalogue-search-repository.ts';

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

type Row = Record<string, unknown>;

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

/** What is as it was is only marked as met, so that reading the same again costs little. */
export async function putItems(
  tx: Tx,
  items: readonly CatalogueItem[],
  { generation }: { generation: number },
): Promise<void> {
  const rows = new Map(items.map((item) => [item.id, plugins.encode({ ...rowOf(item), generation })]));
  const ids = [...rows.keys()];
  const known = (await tx.knex(plugins.name).select('id', 'item', 'search_text').whereIn('id', ids)) as Row[];
  const same = new Set(
    known
      .filter(({ id, item, search_text: text }) => {
        const row = rows.get(String(id));
        return row !== undefined && row['item'] === item && row['search_text'] === text;
      })
      .map(({ id }) => String(id)),
  );
  await tx
    .knex(plugins.name)
    .whereIn('id', [...same])
    .update({ generation });
  const changed = items.filter(({ id }) => !same.has(id));
  if (changed.length === 0) return;
  const fresh = ids.flatMap((id) => (same.has(id) ? [] : (rows.get(id) ?? [])));
  await tx.knex(plugins.name).insert(fresh).onConflict('id').merge();
  await putWords(tx, changed);
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

export async function searchItems(
  db: Queryable,
  wish: Wish,
  range: { offset: number; limit: number },
  extents = new Extents(),
): Promise<{ items: CatalogueItem[]; total: number }> {
  const { ids, total } = await searchIds(db, wish, range, extents);
  const found = new Map((await findItems(db, ids)).map((item) => [item.id, item]));
  return { items: ids.flatMap((id) => found.get(id) ?? []), total };
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

const rowOf = (item: CatalogueItem): Omit<ReturnType<typeof plugins.decode>, 'generation'> => ({
  id: item.id,
  sortName: foldText(item.words['en']?.name ?? item.id).slice(0, 120),
  isFree: item.requiredOffers.length === 0,
  downloads: item.downloads,
  stars: Math.round(item.stars * 100),
  addedAt: item.addedAt,
  updatedAt: item.updatedAt,
  searchText: searchTextOf(item),
  item,
});
