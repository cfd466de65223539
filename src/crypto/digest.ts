import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256. Enough for what carries 128 bits of chance (session, reset, API token); what people choose needs more. */
export const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

/** The same as a name under which something is kept in memory. */
export const digestNameOf = (text: string): string => hash('sha256', text, 'base64url');

/** Compares without telling by its duration where the first difference is. */
export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

/** Compares texts of any length that way. */
export const sameText = (one: string, other: string): boolean => sameBytes(digestOf(one), digestOf(other));
