import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type ExtractEvents, type Header } from 'tar-stream';
import { z } from 'zod';
import { InvalidInputError, KnownError } from '../shared/errors.ts';

/** What a package may weigh unpacked, and how many files it may bring. */
const UNPACKED_BYTES = 128 * 1024 * 1024;
const MOST_FILES = 5_000;

const LIST = 'files.json';
const list = z.object({
  files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** Ordinary names below the folder, and none that only some file systems tell apart or that a shell would not like. */
const SAFE_PATH = /^(?:[A-Za-z0-9_@][A-Za-z0-9_@.+-]*\/)*[A-Za-z0-9_@][A-Za-z0-9_@.+-]*$/;
const LONGEST_PATH = 200;

interface Unpacked {
  size: number;
  sha256: string;
}

/**
 * Writes the files of a package below `folder`, as they stream by. Links, devices, ways out of the folder, names that meet when case is
 * ignored and whatever is too much end it. Where the package lists its files, exactly those must be there, byte for byte.
 */
export async function unpack(packed: Uint8Array, folder: string): Promise<void> {
  const files = new Map<string, Unpacked>();
  const unpacking = extract();
  const budget = { bytes: UNPACKED_BYTES };
  unpacking.on('entry', (header, content, next) => {
    const refuse = (error: Error): void => {
      // The entry fails along with the package; the package's own error is the one that is told.
      content.once('error', () => undefined);
      next(error);
    };
    if (header.type === 'directory') {
      content.resume();
      next();
      return;
    }
    try {
      assertPlain(header, files);
    } catch (error) {
      refuse(error as Error);
      return;
    }
    save(content, join(folder, header.name), budget).then((unpacked) => {
      files.set(header.name, unpacked);
      next();
    }, next);
  });
  try {
    await pipeline(Readable.from([packed]), createGunzip(), unpacking);
  } catch (error) {
    throw error instanceof KnownError ? error : broken('archive', error);
  }
  await assertListed(folder, files);
}

function assertPlain({ name, type }: Header, files: ReadonlyMap<string, Unpacked>): void {
  const known = [...files.keys()].map((path) => path.toLowerCase());
  if (type !== 'file' || !SAFE_PATH.test(name) || name.length > LONGEST_PATH) throw broken(name);
  if (known.includes(name.toLowerCase())) throw broken(name);
  if (files.size >= MOST_FILES) throw new InvalidInputError('plugin.package-too-big');
}

async function save(
  content: ExtractEvents['entry'][1],
  path: string,
  budget: { bytes: number },
): Promise<Unpacked> {
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
  await pipeline(content, counted, createWriteStream(path, { mode: 0o644, flags: 'wx' }));
  return { size, sha256: hash.digest('hex') };
}

async function assertListed(folder: string, files: ReadonlyMap<string, Unpacked>): Promise<void> {
  if (!files.has('plugin.json')) throw broken('plugin.json');
  if (!files.has(LIST)) return;
  const listed = new Map((await readList(folder)).map(({ path, ...rest }) => [path, rest]));
  const names = new Set([...listed.keys(), ...files.keys()].filter((name) => name !== LIST));
  for (const name of names) {
    const [said, is] = [listed.get(name), files.get(name)];
    if (said?.sha256 !== is?.sha256 || said?.size !== is?.size) throw broken(name);
  }
}

async function readList(folder: string): Promise<z.output<typeof list>['files']> {
  try {
    return list.parse(JSON.parse(await readFile(join(folder, LIST), 'utf8'))).files;
  } catch (error) {
    throw broken(LIST, error);
  }
}

const broken = (file: string, cause?: unknown): InvalidInputError =>
  new InvalidInputError('plugin.package-broken', { cause, params: { file } });
