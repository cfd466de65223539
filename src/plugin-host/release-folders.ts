import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Queryable } from '../db/database.ts';
import { InvalidInputError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Reached } from './crash-points.ts';
import { readPacked, type Release } from './release-repository.ts';
import { isUntouched, unpack, type Unpacked } from './unpack.ts';

type Version = Pick<Release, 'pluginId' | 'version' | 'sha256'>;

/** One folder per version, named by its content too: what was once imported from a path stays in this process for good. */
export const folderOf = (added: string, { pluginId, version, sha256 }: Version): string =>
  join(added, pluginId, `${version}-${sha256.slice(0, 12)}`);

/** Where a package waits, unpacked, from its trial until it is used. */
const waitingPlace = (added: string, sha256: string): string => join(added, '.staging', sha256);

export const sha256Of = (packed: Uint8Array): string => createHash('sha256').update(packed).digest('hex');

/** Unpacks aside; `work` sees the folder, and nothing of it is left afterwards unless it was moved away. */
export async function unpackedAside<T>(
  added: string,
  packed: Uint8Array,
  work: (folder: string, unpacked: Unpacked) => Promise<T>,
): Promise<T> {
  const folder = join(added, '.staging', newId());
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder, await unpack(packed, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Keeps what was unpacked and tried for when it is used, so that it is unpacked once. What its trial has changed, or left lying in it, is
 * not what was verified and is not kept; then, and on every other node, the files come from the package once more.
 */
export async function keepForUse(
  added: string,
  release: Version,
  { folder, unpacked }: { folder: string; unpacked: Unpacked },
): Promise<void> {
  if (existsSync(folderOf(added, release)) || !(await isUntouched(folder, unpacked))) return;
  await rename(folder, waitingPlace(added, release.sha256)).catch((error: unknown) => {
    // The same bytes are waiting already.
    if (!existsSync(waitingPlace(added, release.sha256))) throw error;
  });
}

/** Sees to it that the files of a release lie here; a node that has never had them fetches them from the database. */
export async function placeRelease(
  db: Queryable,
  release: Release,
  { added, reached }: { added: string; reached: Reached },
): Promise<string> {
  const folder = folderOf(added, release);
  if (existsSync(folder)) return folder;
  const place = async (from: string): Promise<void> => {
    reached('unpacked');
    await mkdir(dirname(folder), { recursive: true });
    await rename(from, folder).catch((error: unknown) => {
      // Another process on this machine was first with the same bytes.
      if (!existsSync(folder)) throw error;
    });
  };
  const waiting = waitingPlace(added, release.sha256);
  const isHere = existsSync(waiting) && (await place(waiting).then(isSo, isNot));
  if (!isHere) await unpackedAside(added, await packedOf(db, release), place);
  reached('placed');
  return folder;
}

const isSo = (): boolean => true;
const isNot = (): boolean => false;

async function packedOf(db: Queryable, release: Release): Promise<Buffer> {
  const packed = await readPacked(db, release);
  if (sha256Of(packed) !== release.sha256)
    throw new InvalidInputError('plugin.package-broken', { params: { file: release.version } });
  return packed;
}

const FORGOTTEN_MS = 3_600_000;

/** What a process that was killed had not finished, and what was tried and never used. */
export async function clearStaging(added: string, { now }: { now: number }): Promise<void> {
  const staging = join(added, '.staging');
  for (const name of await readdir(staging).catch(() => [])) {
    const found = await stat(join(staging, name)).catch(() => null);
    if (found === null || found.mtimeMs >= now - FORGOTTEN_MS) continue;
    // Out of the way first: nobody may come to use half of it.
    const doomed = join(staging, newId());
    const isOurs = await rename(join(staging, name), doomed).then(isSo, isNot);
    if (isOurs) await rm(doomed, { recursive: true, force: true });
  }
}
