import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** What is kept of something sealed: nonce, then ciphertext and tag. */
export interface Box {
  nonce: Buffer;
  ciphertext: Buffer;
}

/** AES-256-GCM (a `KeyObject` is prepared once: raw bytes would cost six times as much at each use) with a random nonce; `context` is authenticated with it, so that a box moved to another row does not open. */
export function sealBox(key: KeyObject, plaintext: Uint8Array, context: string): Box {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { nonce, ciphertext };
}

/** Throws when key, context or a single bit differ. */
export function openBox(key: KeyObject, { nonce, ciphertext }: Box, context: string): Buffer {
  const tagAt = ciphertext.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(ciphertext.subarray(tagAt));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, tagAt)), decipher.final()]);
}

/** Nonce and ciphertext in one column. */
export const packBox = ({ nonce, ciphertext }: Box): Buffer => Buffer.concat([nonce, ciphertext]);
export const unpackBox = (packed: Buffer): Box => ({
  nonce: packed.subarray(0, NONCE_BYTES),
  ciphertext: packed.subarray(NONCE_BYTES),
});
