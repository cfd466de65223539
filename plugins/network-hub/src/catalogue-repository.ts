import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import { channels, withdrawals, type PluginRecord, type Release } from './release.ts';

const { bytes, instant, json, nullable, oneOf, text, whole } = column;

const plugins = defineTable('hub_plugin', {
  number: whole,
  nameKey: text,
  record: json<PluginRecord>(),
  requiredOffers: json<string[]>(),
  publishedAt: instant,
  updatedAt: instant,
  downloads: whole,
});
export type PublishedPlugin = ReturnType<typeof plugins.decode>;

const releases = defineTable('hub_release', {
  id: text,
  plugin: whole,
  version: text,
  channel: oneOf(...channels),
  sha256: text,
  size: whole,
  manifest: json<Release['manifest']>(),
  notes: text,
  latchkey: text,
  compatibility: nullable(text),
  share: whole,
  withdrawn: nullable(oneOf(...withdrawals)),
  reason: nullable(text),
  publishedAt: instant,
  publishedBy: text,
});
const parts = defineTable('hub_release_part', { releaseId: text, part: whole, content: bytes });
const pictures = defineTable('hub_picture', { sha256: text, content: bytes });

type Row = Record<string, unknown>;

/** Well below what MariaDB takes in one packet. */
const PART_BYTES = 1024 * 1024;
const OPINIONS_EACH = 5;
const MOST_OPINIONS = 2_000;

interface Wanted {
  tag?: string;
  number?: number;
  from: number;
  limit: number;
}

/** In the order in which they were published, so that pages fit together. */
export async function listPlugins(
  db: Queryable,
  { tag, number, from, limit }: Wanted,
): Promise<PublishedPlugin[]> {
  const all = db.knex(plugins.name).select(plugins.columns).orderBy('number').limit(limit).offset(from);
  const tagged = db.knex('hub_plugin_tag').select('plugin').where({ tag });
  if (tag !== undefined) void all.whereIn('number', tagged);
  if (number !== undefined) void all.where({ number });
  return ((await all) as Row[]).map(plugins.decode);
}

export async function countPlugins(db: Queryable, tag?: string): Promise<number> {
  const all = tag === undefined ? db.knex(plugins.name) : db.knex('hub_plugin_tag').where({ tag });
  const counted = (await all.count({ count: '*' }).first()) as Row | undefined;
  return Number(counted?.['count'] ?? 0);
}

/** Another text whenever a plugin is added, or one of these is published anew, staged or withdrawn. */
export async function catalogueStamp(
  db: Queryable,
  { from, limit }: { from: number; limit: number },
): Promise<string> {
  const rows = (await db
    .knex(plugins.name)
    .select('updated_at')
    .orderBy('number')
    .limit(limit)
    .offset(from)) as Row[];
  // A sum, since the clocks of two nodes differ: what was changed last need not have the latest time.
  const moved = rows.reduce((sum, row) => sum + Number(row['updated_at']), 0);
  return `${String(await countPlugins(db))} ${String(rows.length)} ${String(moved)}`;
}

export async function findPlugin(db: Queryable, nameKey: string): Promise<PublishedPlugin | null> {
  const row = (await db.knex(plugins.name).select(plugins.columns).where({ name_key: nameKey }).first()) as
    Row | undefined;
  return row ? plugins.decode(row) : null;
}

/** Answers its number. */
export async function insertPlugin(tx: Tx, plugin: Omit<PublishedPlugin, 'number'>): Promise<number> {
  const highest = (await tx.knex(plugins.name).max({ number: 'number' }).first()) as Row | undefined;
  const number = Number(highest?.['number'] ?? 0) + 1;
  await tx.knex(plugins.name).insert(plugins.encode({ ...plugin, number }));
  return number;
}

export async function changePlugin(
  tx: Tx,
  number: number,
  change: Partial<Omit<PublishedPlugin, 'number' | 'nameKey'>>,
): Promise<void> {
  await tx.knex(plugins.name).where({ number }).update(plugins.encode(change));
}

/** These and no others. */
export async function setTags(
  tx: Tx,
  plugin: number,
  tags: readonly { tag: string; label: string }[],
): Promise<void> {
  await tx.knex('hub_plugin_tag').where({ plugin }).delete();
  for (const tag of tags) await tx.knex('hub_plugin_tag').insert({ plugin, ...tag });
}

export async function tagsOf(db: Queryable, numbers: readonly number[]): Promise<Map<number, string[]>> {
  const rows = (await db.knex('hub_plugin_tag').whereIn('plugin', numbers).orderBy('tag')) as Row[];
  const tags = new Map<number, string[]>();
  for (const { plugin, label } of rows)
    tags.set(Number(plugin), [...(tags.get(Number(plugin)) ?? []), String(label)]);
  return tags;
}

export async function topTags(
  db: Queryable,
  limit: number,
): Promise<{ tag: string; label: string; count: number }[]> {
  const rows = (await db
    .knex('hub_plugin_tag')
    .select('tag')
    .min({ label: 'label' })
    .count({ count: '*' })
    .groupBy('tag')
    .orderBy([{ column: 'count', order: 'desc' }, 'tag'])
    .limit(limit)) as Row[];
  return rows.map(({ tag, label, count }) => ({
    tag: String(tag),
    label: String(label),
    count: Number(count),
  }));
}

export async function listReleases(db: Queryable, numbers: readonly number[]): Promise<Release[]> {
  const rows = (await db
    .knex(releases.name)
    .select(releases.columns)
    .whereIn('plugin', numbers)
    .orderBy(['plugin', 'published_at', 'id'])) as Row[];
  return rows.map(releases.decode);
}

export async function findRelease(
  db: Queryable,
  where: { plugin: number; version: string } | { sha256: string },
): Promise<Release | null> {
  const row = (await db.knex(releases.name).select(releases.columns).where(where).first()) as Row | undefined;
  return row ? releases.decode(row) : null;
}

export async function insertRelease(tx: Tx, release: Release, packed: Uint8Array): Promise<void> {
  await tx.knex(releases.name).insert(releases.encode(release));
  for (let at = 0; at < packed.length; at += PART_BYTES) {
    const content = Buffer.from(packed.subarray(at, at + PART_BYTES));
    const part = { releaseId: release.id, part: at / PART_BYTES, content };
    await tx.knex(parts.name).insert(parts.encode(part));
  }
}

export async function changeRelease(
  tx: Tx,
  id: string,
  change: Partial<Pick<Release, 'share' | 'withdrawn' | 'reason' | 'channel'>>,
): Promise<void> {
  await tx.knex(releases.name).where({ id }).update(releases.encode(change));
}

export async function readPacked(db: Queryable, releaseId: string): Promise<Buffer> {
  const rows = (await db.knex(parts.name).where({ release_id: releaseId }).orderBy('part')) as Row[];
  return Buffer.concat(rows.map((row) => parts.decode(row).content));
}

export async function insertPicture(tx: Tx, picture: { sha256: string; content: Buffer }): Promise<void> {
  await tx.knex(pictures.name).insert(pictures.encode(picture)).onConflict('sha256').ignore();
}

export async function findPicture(db: Queryable, sha256: string): Promise<Buffer | null> {
  const row = (await db.knex(pictures.name).where({ sha256 }).first()) as Row | undefined;
  return row ? pictures.decode(row).content : null;
}

/** One more, in all and on this day. */
export async function countDownload(tx: Tx, plugin: number, day: string): Promise<void> {
  await tx.knex(plugins.name).where({ number: plugin }).increment('downloads', 1);
  await tx.knex('hub_download_day').insert({ plugin, day, count: 0 }).onConflict(['plugin', 'day']).ignore();
  await tx.knex('hub_download_day').where({ plugin, day }).increment('count', 1);
}

/** How many stars, on average, and of how many people. */
export async function ratingsOf(
  db: Queryable,
  numbers: readonly number[],
): Promise<Map<number, { stars: number; people: number }>> {
  const rows: Row[] = await db
    .knex('hub_rating')
    .select('plugin')
    .avg({ stars: 'stars' })
    .count({ people: '*' })
    .whereIn('plugin', numbers)
    .groupBy('plugin');
  return new Map(
    rows.map(({ plugin, stars, people }) => [
      Number(plugin),
      { stars: Math.round(Number(stars) * 10) / 10, people: Number(people) },
    ]),
  );
}

export async function putRating(
  tx: Tx,
  rating: { plugin: number; userId: string; stars: number; sentence: string; saidAt: number },
): Promise<void> {
  const { plugin, userId: user_id, stars, saidAt: said_at } = rating;
  const sentence = rating.sentence === '' ? null : rating.sentence;
  await tx
    .knex('hub_rating')
    .insert({ plugin, user_id, stars, sentence, said_at })
    .onConflict(['plugin', 'user_id'])
    .merge(['stars', 'sentence', 'said_at']);
}

export interface Opinion {
  stars: number;
  sentence: string;
  at: number;
}

/** The last few that came with a sentence, newest first. */
export async function opinionsOf(db: Queryable, numbers: readonly number[]): Promise<Map<number, Opinion[]>> {
  const rows = (await db
    .knex('hub_rating')
    .whereIn('plugin', numbers)
    .whereNotNull('sentence')
    .orderBy('said_at', 'desc')
    .limit(MOST_OPINIONS)) as Row[];
  const opinions = new Map<number, Opinion[]>();
  for (const { plugin, stars, sentence, said_at: at } of rows) {
    const known = opinions.get(Number(plugin)) ?? [];
    const opinion = { stars: Number(stars), sentence: String(sentence), at: Number(at) };
    if (known.length < OPINIONS_EACH) opinions.set(Number(plugin), [...known, opinion]);
  }
  return opinions;
}
