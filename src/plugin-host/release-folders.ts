import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Queryable } from '../db/database.ts';
import { InvalidInputError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Reached } from './crash-points.ts';
import { readPacked, type Release } from './release-repository.ts';
import { unpack } from './unpack.ts';

/** One folder per version, named by its content too: what was once imported from a path stays in this process for good. */
export const folderOf = (added: string, { pluginId, version, sha256 }: Release): string =>
  join(added, pluginId, `${version}-${sha256.slice(0, 12)}`);

export const sha256Of = (packed: Uint8Array): string => createHash('sha256').update(packed).digest('hex');

/** Unpacks aside; `work` sees the folder, and nothing of it is left afterwards unless it was moved away. */
export async function unpackedAside<T>(
  added: string,
  packed: Uint8Array,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(added, '.staging', newId());
  await mkdir(folder, { recursive: true });
  try {
    await unpack(packed, folder);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sees to it that the files of a release lie here; a node that has never had them fetches them from the database. */
export async function placeRelease(
  db: Queryable,
  release: Release,
  { added, reached }: { added: string; reached: Reached },
): Promise<string> {
  const folder = folderOf(added, release);
  if (existsSync(folder)) return folder;
  const packed = await readPacked(db, release);
  if (sha256Of(packed) !== release.sha256) {
    throw new InvalidInputError('plugin.package-broken', { params: { file: release.version } });
  }
  await unpackedAside(added, packed, async (aside) => {
    reached('unpacked');
    await mkdir(dirname(folder), { recursive: true });
    await rename(aside, folder).catch((error: unknown) => {
      // Another process on this machine was first with the same bytes.
      if (!existsSync(folder)) throw error;
    });
  });
  reached('placed');
  return folder;
}

const FORGOTTEN_MS = 3_600_000;

/** What a process that was killed had not finished. */
export async function clearStaging(added: string, { now }: { now: number }): Promise<void> {
  const staging = join(added, '.staging');
  for (const name of await readdir(staging).catch(() => [])) {
    const { mtimeMs } = await stat(join(staging, name));
    if (mtimeMs < now - FORGOTTEN_MS) await rm(join(staging, name), { recursive: true, force: true });
  }
}
