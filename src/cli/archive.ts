import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { InvalidInputError } from '../shared/errors.ts';

/** What the archive says of itself, first entry in it. */
export interface BackupManifest {
  format: 1;
  version: string;
  createdAt: string;
  engine: 'sqlite' | 'mysql';
  files: { path: string; size: number; sha256: string; rows?: number }[];
}

const MANIFEST = 'manifest.json';

/** Packs every file below `folder` into one gzipped tar, the manifest first. */
export async function writeArchive(folder: string, manifest: BackupManifest, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const tar = pack();
  const written = pipeline(tar, createGzip(), createWriteStream(target, { mode: 0o600, flags: 'wx' }));
  tar.entry({ name: MANIFEST }, JSON.stringify(manifest, null, 2));
  for (const { path, size } of manifest.files) {
    await pipeline(createReadStream(join(folder, path)), tar.entry({ name: path, size }));
  }
  tar.finalize();
  await written;
}

/** Unpacks into `folder` and compares each file with the manifest: one that differs spoils the whole. */
export async function readArchive(source: string, folder: string): Promise<BackupManifest> {
  const unpacking = extract();
  unpacking.on('entry', ({ name, type }, content, next) => {
    const path = resolve(folder, name);
    const isInside = type === 'file' && path.startsWith(folder + sep);
    if (!isInside) {
      next(new InvalidInputError('backup.damaged', { params: { file: name } }));
      return;
    }
    mkdir(dirname(path), { recursive: true })
      .then(() => pipeline(content, createWriteStream(path, { mode: 0o600 })))
      .then(() => {
        next();
      }, next);
  });
  await pipeline(createReadStream(source), createGunzip(), unpacking).catch((error: unknown) => {
    throw error instanceof InvalidInputError
      ? error
      : new InvalidInputError('backup.damaged', { cause: error, params: { file: source } });
  });
  const manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as BackupManifest;
  for (const { path, sha256 } of manifest.files) {
    if ((await digestOf(join(folder, path)).catch(() => '')) !== sha256) {
      throw new InvalidInputError('backup.damaged', { params: { file: path } });
    }
  }
  return manifest;
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Paths of all files below `folder`, relative to it; none where it does not exist. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

export const sizeOf = async (path: string): Promise<number> => (await stat(path)).size;
export const discard = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
