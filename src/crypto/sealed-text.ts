import type { KeyRing } from './key-ring.ts';

/** What a browser may carry and not read, as text for a cookie. */
export function sealText(keys: Pick<KeyRing, 'seal'>, value: unknown, context: string): string {
  const { keyId, nonce, ciphertext } = keys.seal(JSON.stringify(value), context);
  return [keyId, nonce.toString('base64url'), ciphertext.toString('base64url')].join('.');
}

/** Throws for what is altered, is of another house, or was sealed for something else. */
export function openText(keys: Pick<KeyRing, 'open'>, text: string, context: string): unknown {
  const [keyId = '', nonce = '', ciphertext = ''] = text.split('.');
  const sealed = {
    keyId: Number(keyId),
    nonce: Buffer.from(nonce, 'base64url'),
    ciphertext: Buffer.from(ciphertext, 'base64url'),
  };
  return JSON.parse(keys.open(sealed, context)) as unknown;
}
