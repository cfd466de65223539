import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Read into one and the same memory: what is allocated for each part has to be collected, too, and costs more than the digest. */
const PORTION = 256 * 1024;

export interface DigestOfFile {
  size: number;
  sha256: string;
}

/** Of a file that may have any size, while requests go on. */
export async function digestOfFile(path: string): Promise<DigestOfFile> {
  const hash = createHash('sha256');
  const portion = Buffer.allocUnsafe(PORTION);
  await using file = await open(path);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(portion, 0, PORTION);
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    hash.update(portion.subarray(0, bytesRead));
    size += bytesRead;
  }
}
