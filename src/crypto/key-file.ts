import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
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

/** The masters in `file`, or none when there is no such file. */
export async function readKeyFile(file: string): Promise<Master[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? [] : parseMasters(text);
}

/** A new master in a new file that only its owner reads. Two processes at once: the second takes what the first wrote. */
export async function createKeyFile(file: string): Promise<Master[]> {
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

export const masterOf = (bytes: Buffer): Master => ({
  id: createHash('sha256').update('latchkey master ').update(bytes).digest('hex').slice(0, 16),
  bytes,
});

function decodeKey(text: string): Buffer {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES) throw new Error('The instance key must be 32 bytes, as hex or base64');
  return bytes;
}
