import type { Request, Response } from 'express';
import type { Actor } from '../shared/actor.ts';
import type { SessionInfo } from './route.ts';

/** What the server knows of one request before any route looks at it. */
export interface Exchange {
  req: Request;
  res: Response;
  requestId: string;
  ip: string;
  cookies: ReadonlyMap<string, string>;
  isApi: boolean;
  locale: string;
  actor: Actor;
  session: SessionInfo | null;
  /** What the browser holds and its forms are bound to: the session's token, or a visitor's cookie. */
  heldByBrowser: string | undefined;
  /** Scopes of the API token; null where there is none. */
  scopes: readonly string[] | null;
}

/** `/tickets` and never `https://…` or `//…`: where a sign-in may lead on to. */
export function safePath(next: unknown, fallback = '/'): string {
  if (typeof next !== 'string' || !/^\/(?![/\\])/.test(next)) return fallback;
  const base = 'http://same.invalid';
  return URL.canParse(next, base) && new URL(next, base).origin === base ? next : fallback;
}
