import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { InvalidInputError } from 'latchkey/plugin-api';

/** An Ed25519 key that can sign, and the name it goes by in signed documents. */
export interface Signer {
  id: string;
  publicKey: string;
  sign(data: Uint8Array): Buffer;
}

export const keyIdOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'hex')).digest('hex');

export function newSigner(): Signer & { pem: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { ...signerOf(privateKey), pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** @throws {InvalidInputError} when it is no private Ed25519 key as `latchkey plugin keygen` writes them */
export const signerFrom = (pem: string): Signer => signerOf(read(() => createPrivateKey(pem)));

/** 64 hexadecimal digits, from a PEM of either kind. @throws {InvalidInputError} */
export const publicKeyFrom = (pem: string): string => rawOf(read(() => createPublicKey(pem)));

function signerOf(key: KeyObject): Signer {
  const publicKey = rawOf(createPublicKey(key));
  return { id: keyIdOf(publicKey), publicKey, sign: (data) => sign(null, data, key) };
}

/** The last 32 bytes of an Ed25519 SPKI are the key itself. */
const rawOf = (key: KeyObject): string =>
  key.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');

function read(make: () => KeyObject): KeyObject {
  try {
    const key = make();
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new InvalidInputError('hub.trust-key-unreadable', { cause });
  }
  throw new InvalidInputError('hub.trust-key-unreadable');
}
