import { column, defineTable, type Queryable } from 'latchkey/plugin-api';

const { instant, json, text, whole } = column;

/** What the wire says of a plugin and we do not count ourselves. */
export interface PluginRecord {
  name: string;
  versions: { num: string; compatibility: string; download_url: string | null; stability: string }[];
  [field: string]: unknown;
}

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

type Row = Record<string, unknown>;

interface Wanted {
  tag?: string;
  from: number;
  limit: number;
}

/** In the order in which they were published, so that pages fit together. */
export async function listPlugins(db: Queryable, { tag, from, limit }: Wanted): Promise<PublishedPlugin[]> {
  const all = db.knex(plugins.name).select(plugins.columns).orderBy('number').limit(limit).offset(from);
  const tagged = db.knex('hub_plugin_tag').select('plugin').where({ tag });
  return ((await (tag === undefined ? all : all.whereIn('number', tagged))) as Row[]).map(plugins.decode);
}

export async function countPlugins(db: Queryable, tag?: string): Promise<number> {
  const all = tag === undefined ? db.knex(plugins.name) : db.knex('hub_plugin_tag').where({ tag });
  const counted = (await all.count({ count: '*' }).first()) as Row | undefined;
  return Number(counted?.['count'] ?? 0);
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
