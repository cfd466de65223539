import { newId } from '../shared/ids.ts';

/** A key pair of which the private half never leaves somebody's device (WebAuthn). */
export interface Passkey {
  id: string;
  userId: string;
  /** As the device calls it, base64url. */
  credentialId: string;
  publicKey: Buffer;
  /** Grows with every use on devices that count; 0 on those that do not. */
  counter: number;
  transports: string[];
  /** The host it was made for; it works under no other. */
  rpId: string;
  name: string;
  /** Copied between somebody's devices by their maker. */
  backedUp: boolean;
  createdAt: number;
  lastUsedAt: number | null;
}

/** What a browser has just made, verified and not yet anybody's. It travels as JSON. */
export interface NewPasskey {
  credentialId: string;
  publicKey: string;
  counter: number;
  transports: string[];
  rpId: string;
  backedUp: boolean;
}

export interface RelyingParty {
  /** Host without port. */
  id: string;
  origin: string;
}

export const MOST_PASSKEYS = 20;
/** What the passkey is called that an account began with, until somebody renames it. */
export const FIRST_PASSKEY = 'Passkey 1';

export const passkeyOf = (
  { id: userId }: { id: string },
  made: NewPasskey,
  name: string,
  now: number,
): Passkey => ({
  ...made,
  id: newId(),
  userId,
  publicKey: Buffer.from(made.publicKey, 'base64url'),
  name,
  createdAt: now,
  lastUsedAt: null,
});

/** Browsers make passkeys for names, over https or on the machine itself; never for bare addresses. */
export function relyingPartyOf(origin: string): RelyingParty | null {
  const { hostname, protocol } = new URL(origin);
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.startsWith('[');
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost');
  return isAddress || (protocol !== 'https:' && !isLocal) ? null : { id: hostname, origin };
}
