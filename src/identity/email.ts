import { domainToASCII } from 'node:url';

const LONGEST = 254;
const LONGEST_LOCAL = 64;
const LOCAL = /^[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}]+$/u;
const DOMAIN =
  /^(?=.{1,253}$)([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * By which two addresses are one person's: trimmed, NFC, lower case, the domain in ASCII. Plus-parts and dots are kept (ruling 4).
 * Null when it is no address.
 */
export function normaliseEmail(typed: string): string | null {
  const text = typed.trim().normalize('NFC').toLowerCase();
  const at = text.lastIndexOf('@');
  if (at < 1) return null;
  const local = text.slice(0, at);
  const domain = domainToASCII(text.slice(at + 1));
  const norm = `${local}@${domain}`;
  const sound =
    local.length <= LONGEST_LOCAL &&
    norm.length <= LONGEST &&
    LOCAL.test(local) &&
    isLocalPart(local) &&
    DOMAIN.test(domain);
  return sound ? norm : null;
}

/** As it was typed, which is how its owner likes to see it, without what is invisible. */
export const tidyEmail = (typed: string): string => typed.trim().normalize('NFC');

const isLocalPart = (local: string): boolean =>
  !local.startsWith('.') && !local.endsWith('.') && !local.includes('..');
