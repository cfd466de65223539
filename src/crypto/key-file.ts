import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEY_BYTES = 32;

/** What wraps the purpose keys. It lives outside the database, so that a stolen copy of that opens nothing. */
export interface Master {
  /** First bytes of its digest: tells masters apart, and says nothing of them. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** 32 bytes as hex or base64. Several, on lines or with commas between: the first wraps, all unwrap. */
export function parseMasters(text: string): Master[] {
  const masters = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => masterOf(decodeKey(part)));
  if (masters.length === 0) throw new Error('The instance key is empty');
  return masters;
}

/** Why there is no master, though one may be there: each is another thing to do. */
export type KeyFault = 'missing' | 'unreadable' | 'wrong-length';

/** The masters in `file`. None is made here, and nothing is ever written over what does not open. */
export async function readKeyFile(file: string): Promise<Master[] | KeyFault> {
  try {
    return readMasters(await readFile(file, 'utf8'));
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'missing' : 'unreadable';
  }
}

/** The same for what the environment says. */
export function readMasters(text: string): Master[] | KeyFault {
  try {
    return parseMasters(text);
  } catch {
    return 'wrong-length';
  }
}

/** Takes the place of the file in one step: a crash leaves the old one or the new one, whole. */
export async function replaceKeyFile(file: string, masters: readonly Master[]): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  const lines = masters.map(({ bytes }) => `${bytes.toString('base64')}\n`).join('');
  await writeFile(draft, lines, { mode: 0o600, flush: true });
  await rename(draft, file);
}

export const newMaster = (): Master => masterOf(randomBytes(KEY_BYTES));

/** A new master in a new file that only its owner reads. Two processes at once: the second takes what the first wrote. */
export async function createKeyFile(file: string): Promise<Master[] | KeyFault> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    // A link appears whole or not at all, and never takes the place of what is there.
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  return readKeyFile(file);
}

const masterOf = (bytes: Buffer): Master => ({
  id: createHash('sha256').update('latchkey master ').update(bytes).digest('hex').slice(0, 16),
  bytes,
});

function decodeKey(text: string): Buffer {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES) throw new Error('The instance key must be 32 bytes, as hex or base64');
  return bytes;
}
