import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { NotFoundError } from '../shared/errors.ts';

/** Where the bytes of attachments lie, under names that say nothing. */
export interface AttachmentStorage {
  /** Moves a received file in and returns the key to it. */
  keep(path: string): Promise<string>;
  /** Opens it, so that a missing file is an error before the answer begins. */
  read(key: string): Promise<Readable>;
  remove(key: string): Promise<void>;
}

/** On the disk of this machine, one folder for every first two letters. */
export function diskStorage(folder: string): AttachmentStorage {
  const pathOf = (key: string): string => join(folder, key.slice(0, 2), key);
  return {
    async keep(path) {
      const key = randomUUID();
      await mkdir(dirname(pathOf(key)), { recursive: true, mode: 0o700 });
      await moveFile(path, pathOf(key));
      await chmod(pathOf(key), 0o600);
      return key;
    },
    async read(key) {
      try {
        const handle = await open(pathOf(key), 'r');
        return createReadStream('', { fd: handle, autoClose: true });
      } catch (cause) {
        throw new NotFoundError('attachment.lost', { cause });
      }
    },
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
  };
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await copyFile(from, to);
    await rm(from, { force: true });
  }
}
