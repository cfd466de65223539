import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { ForbiddenError } from '../shared/errors.ts';

/** What a request says about where it comes from. */
export interface RequestSource {
  method: string;
  fetchSite: string | undefined;
  origin: string | undefined;
  referer: string | undefined;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
export const isSafe = (method: string): boolean => SAFE.has(method);

/**
 * Refuses a write that another site started. Fetch Metadata decides where a browser sends it; else Origin or Referer must be
 * ours; with neither there is no browser we know, and no write (OWASP CSRF cheat sheet; Go 1.25 `CrossOriginProtection`).
 * @throws {ForbiddenError} `csrf.foreign`
 */
export function assertSameSource(source: RequestSource, ownOrigins: readonly string[]): void {
  if (isSafe(source.method)) return;
  if (source.fetchSite !== undefined) {
    if (source.fetchSite === 'same-origin' || source.fetchSite === 'none') return;
    throw new ForbiddenError('csrf.foreign');
  }
  const claimed = source.origin ?? originOf(source.referer);
  if (claimed === undefined || !ownOrigins.includes(claimed)) throw new ForbiddenError('csrf.foreign');
}

function originOf(referer: string | undefined): string | undefined {
  return referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : undefined;
}

/** The token of a form: an HMAC of what the browser already holds (its session, or a visitor's cookie), so nothing is stored. */
export function csrfToken(key: KeyObject, heldByBrowser: string): string {
  const made = tokens.get(key) ?? new Map<string, string>();
  const known = made.get(heldByBrowser);
  if (known !== undefined) return known;
  const token = createHmac('sha256', key).update(`csrf|1|${heldByBrowser}`).digest('base64url');
  if (made.size >= MOST_REMEMBERED) made.clear();
  tokens.set(key, made.set(heldByBrowser, token));
  return token;
}

/** Every page of a session has the same one; making it costs a tenth of a small page. */
const tokens = new WeakMap<KeyObject, Map<string, string>>();
const MOST_REMEMBERED = 2000;

/** @throws {ForbiddenError} `csrf.token` */
export function assertCsrfToken(key: KeyObject, heldByBrowser: string | undefined, sent: unknown): void {
  const expected = Buffer.from(heldByBrowser === undefined ? '' : csrfToken(key, heldByBrowser));
  const got = Buffer.from(typeof sent === 'string' ? sent : '');
  const same = expected.length > 0 && expected.length === got.length && timingSafeEqual(expected, got);
  if (!same) throw new ForbiddenError('csrf.token');
}
