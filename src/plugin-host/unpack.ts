import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type ExtractEvents, type Header } from 'tar-stream';
import { z } from 'zod';
import { digestOfFile } from '../crypto/digest-of-file.ts';
import { eachOf } from '../shared/each-of.ts';
import { InvalidInputError, KnownError } from '../shared/errors.ts';

/** What a package may weigh unpacked, and how many files it may bring. */
const UNPACKED_BYTES = 128 * 1024 * 1024;
const MOST_FILES = 5_000;
/** All of the archive: its headers, which are kept in memory while they are read, may not be the bomb either. */
const INFLATED_BYTES = UNPACKED_BYTES + 16 * 1024 * 1024;

const LIST = 'files.json';
const listSchema = z.object({
  files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** Inflated in portions of this size: with Node's own, of 16 KB, the hand-overs cost more than the work. */
const PORTION = 256 * 1024;

/** Ordinary names below the folder, and none that only some file systems tell apart or that a shell would not like. */
const SAFE_PATH = /^(?:[A-Za-z0-9_@][A-Za-z0-9_@.+-]*\/)*[A-Za-z0-9_@][A-Za-z0-9_@.+-]*$/;
const LONGEST_PATH = 200;
/** What some systems take for a device, or cut the end of. */
const ODD_SEGMENT = /(?:^|\/)(?:(?:con|prn|aux|nul|com\d|lpt\d)(?:\.[^/]*)?|[^/]*\.)(?:\/|$)/i;

interface FileFacts {
  size: number;
  sha256: string;
}

/** What came out of a package. */
export interface Unpacked {
  /** By path. */
  files: ReadonlyMap<string, FileFacts>;
  /** The list of its files as it stands there, which is what its publisher signs; null where it has none. */
  list: Buffer | null;
}

/**
 * Writes the files of a package below `folder`, as they stream by. Links, devices, ways out of the folder, names that meet when case is
 * ignored and whatever is too much end it. Where the package lists its files, exactly those must be there, byte for byte.
 */
export async function unpack(packed: Uint8Array, folder: string): Promise<Unpacked> {
  const files = new Map<string, FileFacts>();
  const taken = new Set<string>();
  const unpacking = extract();
  const budget = { bytes: UNPACKED_BYTES };
  let writing: Promise<void> = Promise.resolve();
  unpacking.on('entry', (header, content, next) => {
    // The entry fails along with the package, perhaps before anybody reads it; the package's own error is the one that is told.
    content.on('error', () => undefined);
    if (header.type === 'directory') {
      content.resume();
      next();
      return;
    }
    try {
      assertPlain(header, taken);
    } catch (error) {
      next(error as Error);
      return;
    }
    writing = save(content, join(folder, header.name), budget).then((unpacked) => {
      files.set(header.name, unpacked);
      next();
    }, next);
  });
  try {
    const gunzip = createGunzip({ chunkSize: PORTION });
    await pipeline(Readable.from([packed]), gunzip, capped(), unpacking);
    if (gunzip.bytesWritten !== packed.length) throw broken('archive');
  } catch (error) {
    // Nothing is written any more once the caller clears away.
    await writing;
    throw error instanceof KnownError ? error : broken('archive', error);
  }
  const list = files.has(LIST) ? await readFile(join(folder, LIST)) : null;
  assertListed(list, files);
  return { files, list };
}

/** Whether all that lies below `folder` is still what came out of the package, and nothing else. */
export async function isUntouched(folder: string, { files }: Unpacked): Promise<boolean> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = all.filter((one) => !one.isDirectory());
  if (found.length !== files.size) return false;
  let isAsItWas = true;
  await eachOf(found, async (one) => {
    const path = join(one.parentPath, one.name);
    const was = files.get(relative(folder, path).split(sep).join('/'));
    const isSame = one.isFile() && was?.sha256 === (await digestOfFile(path)).sha256;
    isAsItWas &&= isSame;
  });
  return isAsItWas;
}

/** Names count as one where only case tells them apart. */
function assertPlain({ name, type }: Header, taken: Set<string>): void {
  const isPlain = SAFE_PATH.test(name) && !ODD_SEGMENT.test(name) && name.length <= LONGEST_PATH;
  if (type !== 'file' || !isPlain || taken.has(name.toLowerCase())) throw broken(name);
  if (taken.size >= MOST_FILES) throw new InvalidInputError('plugin.package-too-big');
  taken.add(name.toLowerCase());
}

function capped(): Transform {
  let left = INFLATED_BYTES;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      left -= chunk.length;
      if (left < 0) done(new InvalidInputError('plugin.package-too-big'));
      else done(null, chunk);
    },
  });
}

async function save(
  content: ExtractEvents['entry'][1],
  path: string,
  budget: { bytes: number },
): Promise<FileFacts> {
  const hash = createHash('sha256');
  let size = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      size += chunk.length;
      budget.bytes -= chunk.length;
      hash.update(chunk);
      if (budget.bytes < 0) done(new InvalidInputError('plugin.package-too-big'));
      else done(null, chunk);
    },
  });
  await mkdir(dirname(path), { recursive: true });
  // Cut off meanwhile: nothing would ever come of it.
  if (content.destroyed) throw broken('archive');
  await pipeline(content, counted, createWriteStream(path, { mode: 0o644, flags: 'wx' }));
  return { size, sha256: hash.digest('hex') };
}

function assertListed(list: Buffer | null, files: ReadonlyMap<string, FileFacts>): void {
  if (!files.has('plugin.json')) throw broken('plugin.json');
  if (!list) return;
  const listed = new Map(filesIn(list).map(({ path, ...rest }) => [path, rest]));
  const names = new Set([...listed.keys(), ...files.keys()].filter((name) => name !== LIST));
  for (const name of names) {
    const [said, is] = [listed.get(name), files.get(name)];
    if (said?.sha256 !== is?.sha256 || said?.size !== is?.size) throw broken(name);
  }
}

function filesIn(list: Buffer): z.output<typeof listSchema>['files'] {
  try {
    return listSchema.parse(JSON.parse(list.toString('utf8'))).files;
  } catch (error) {
    throw broken(LIST, error);
  }
}

const broken = (file: string, cause?: unknown): InvalidInputError =>
  new InvalidInputError('plugin.package-broken', { cause, params: { file } });
