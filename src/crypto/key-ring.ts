/** Something encrypted, with the id of the key that did it. */
export interface Sealed {
  keyId: number;
  nonce: Buffer;
  /** Ciphertext and tag. */
  ciphertext: Buffer;
}

export interface Mac {
  keyId: number;
  digest: Buffer;
}

/**
 * Random keys kept wrapped in the database, one pair a purpose: one for keyed digests, one for sealing.
 * After a rotation older keys still verify and open.
 */
export interface KeyRing {
  /** HMAC-SHA-256 under the current key. `purpose` keeps digests of different things apart: `invite|1`. */
  mac(purpose: string, text: string): Mac;
  /** Under every key still in use, newest first: what to look a digest up by. */
  macs(purpose: string, text: string): Mac[];
  /** AES-256-GCM; `context` (row id, entity, generation …) must be the same to open it. */
  seal(plaintext: string, context: string): Sealed;
  /** Throws `UnavailableError('secret.unreadable')` when key or context differ. */
  open(sealed: Sealed, context: string): string;
}
