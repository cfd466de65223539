import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { z } from 'zod';
import { InvalidInputError, NotFoundError } from '../shared/errors.ts';

const manifestSchema = z.object({
  format: z.literal(1),
  version: z.string(),
  createdAt: z.string(),
  engine: z.enum(['sqlite', 'mysql']),
  files: z.array(
    z.object({ path: z.string(), size: z.number(), sha256: z.string(), rows: z.number().optional() }),
  ),
});

/** What the archive says of itself, first entry in it. */
export type BackupManifest = z.output<typeof manifestSchema>;

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
      // The entry fails along with the archive; the archive's own error is the one that is told.
      content.once('error', () => undefined);
      next(damaged(name));
      return;
    }
    mkdir(dirname(path), { recursive: true })
      .then(() => pipeline(content, createWriteStream(path, { mode: 0o600 })))
      .then(() => {
        next();
      }, next);
  });
  const unzipping = createGunzip();
  // The pipeline tells of it; a second error, once that has given up, would find nobody and end the process.
  unzipping.on('error', () => undefined);
  await pipeline(createReadStream(source), unzipping, unpacking).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new NotFoundError('backup.missing', { cause: error, params: { file: source } });
    throw error instanceof InvalidInputError ? error : damaged(source, error);
  });
  const manifest = await manifestIn(folder);
  for (const { path, sha256 } of manifest.files) {
    if ((await digestOf(join(folder, path)).catch(() => '')) !== sha256) throw damaged(path);
  }
  const named = new Set([MANIFEST, ...manifest.files.map(({ path }) => path)]);
  const stranger = (await filesBelow(folder)).find((path) => !named.has(path));
  if (stranger !== undefined) throw damaged(stranger);
  return manifest;
}

async function manifestIn(folder: string): Promise<BackupManifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')));
  } catch (error) {
    throw damaged(MANIFEST, error);
  }
}

const damaged = (file: string, cause?: unknown): InvalidInputError =>
  new InvalidInputError('backup.damaged', { cause, params: { file } });

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
