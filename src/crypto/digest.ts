import { hash, timingSafeEqual, webcrypto } from 'node:crypto';

/** SHA-256. Enough for what carries 128 bits of chance (session, reset, API token); what people choose needs more. */
export const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

/** The same as a name under which something is kept in memory. */
export const digestNameOf = (text: string): string => hash('sha256', text, 'base64url');

/** Of megabytes, in another thread, so that requests go on; as hexadecimal digits. */
export const digestAside = async (bytes: Uint8Array): Promise<string> =>
  Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');

/** Compares without telling by its duration where the first difference is. */
export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

/** Compares texts of any length that way. */
export const sameText = (one: string, other: string): boolean => sameBytes(digestOf(one), digestOf(other));
