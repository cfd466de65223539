import type { Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, instant, json, nullable, oneOf, text, whole } from '../db/table.ts';
import type { Manifest } from './manifest.ts';

/** One version of a plugin as it was installed. */
const releases = defineTable('plugin_release', {
  pluginId: text,
  version: text,
  sha256: text,
  size: whole,
  manifest: json<Manifest>(),
  addedAt: instant,
  addedBy: text,
  /** Whether somebody could be made out who answers for it: see `Trust`. */
  trust: oneOf('vouched', 'signed', 'unsigned'),
  signedBy: nullable(text),
  /** Who decided to use it all the same. */
  acceptedBy: nullable(text),
  /** Why it was taken back soon after it was put to use. */
  wentWrong: nullable(text),
});
export type Release = ReturnType<typeof releases.decode>;
export const decodeRelease = releases.decode;

const parts = defineTable('plugin_release_part', {
  pluginId: text,
  version: text,
  part: whole,
  content: bytes,
});

export const decodePart = parts.decode;

/** Well below what MariaDB takes in one packet. */
const PART_BYTES = 1024 * 1024;

export async function listReleases(db: Queryable, pluginId?: string): Promise<Release[]> {
  const all = db.knex(releases.name).orderBy(['plugin_id', 'added_at', 'version']);
  return (await (pluginId === undefined ? all : all.where({ plugin_id: pluginId }))).map(releases.decode);
}

export async function findRelease(
  db: Queryable,
  pluginId: string,
  version: string,
): Promise<Release | undefined> {
  const row = await db
    .knex(releases.name)
    .where({ plugin_id: pluginId, version })
    .first<Record<string, unknown> | undefined>();
  return row && releases.decode(row);
}

export async function insertRelease(tx: Tx, release: Release, packed: Uint8Array): Promise<void> {
  const { pluginId, version } = release;
  await tx.knex(releases.name).insert(releases.encode(release));
  for (let at = 0; at < packed.length; at += PART_BYTES) {
    // The same memory, not a copy.
    const { buffer, byteOffset, length } = packed.subarray(at, at + PART_BYTES);
    const content = Buffer.from(buffer, byteOffset, length);
    await tx.knex(parts.name).insert(parts.encode({ pluginId, version, part: at / PART_BYTES, content }));
  }
}

export async function updateRelease(
  tx: Tx,
  { pluginId, version }: Pick<Release, 'pluginId' | 'version'>,
  changes: Partial<Pick<Release, 'acceptedBy' | 'wentWrong' | 'trust' | 'signedBy'>>,
): Promise<void> {
  await tx.knex(releases.name).where({ plugin_id: pluginId, version }).update(releases.encode(changes));
}

export async function readPacked(db: Queryable, { pluginId, version }: Release): Promise<Buffer> {
  const rows = await db.knex(parts.name).where({ plugin_id: pluginId, version }).orderBy('part');
  return Buffer.concat(rows.map((row) => parts.decode(row as Record<string, unknown>).content));
}

export async function deleteReleases(tx: Tx, pluginId: string, versions: readonly string[]): Promise<void> {
  for (const table of [parts.name, releases.name]) {
    await tx
      .knex(table)
      .where({ plugin_id: pluginId })
      .whereIn('version', [...versions])
      .delete();
  }
}
