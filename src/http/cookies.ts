import type { CookieChange } from './reply.ts';

/** Ports of one host share their cookies, so every instance has names of its own (ruling 34). */
export interface CookieNames {
  /** `latchkey_3f9a`. */
  prefix: string;
  /** Behind https cookies are `Secure` and bound to the host; Chromium drops `__Host-` on plain http. */
  secure: boolean;
}

/** The name of the session's cookie; the others add `_<name>`. */
export const SESSION_COOKIE = 'session';

const fullName = ({ prefix, secure }: CookieNames, name: string): string =>
  `${secure ? '__Host-' : ''}${name === SESSION_COOKIE ? prefix : `${prefix}_${name}`}`;

/** The cookies that are ours, without the prefix. */
export function readCookies(header: string | undefined, names: CookieNames): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (header === undefined) return found;
  const session = fullName(names, SESSION_COOKIE);
  const others = `${session}_`;
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const name = pair.slice(0, at).trim();
    const value = pair.slice(at + 1).trim();
    if (name === session) found.set(SESSION_COOKIE, decoded(value));
    else if (name.startsWith(others)) found.set(name.slice(others.length), decoded(value));
  }
  return found;
}

function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return '';
  }
}

/** HttpOnly and SameSite=Lax always: nothing of ours is read by scripts or sent along by other sites' forms. */
export function cookieHeader({ name, value, maxAge }: CookieChange, names: CookieNames): string {
  const parts = [
    `${fullName(names, name)}=${encodeURIComponent(value ?? '')}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
  ];
  if (value === null) parts.push('Max-Age=0');
  else if (maxAge !== undefined) parts.push(`Max-Age=${String(maxAge)}`);
  if (names.secure) parts.push('Secure');
  return parts.join('; ');
}
