import { redirect, type Reply } from './reply.ts';
import type { Incoming } from './route.ts';

/** How long a proof of who one is counts for what is dangerous. */
const RECENT_MS = 15 * 60_000;

/**
 * Null when the person behind the request has lately said their password; else the way to the page that asks for it, and from
 * there back to `next`, a page of ours.
 */
export function askAgain(
  { session }: Pick<Incoming, 'session'>,
  { now, next }: { now: number; next: string },
): Reply | null {
  const isRecent = session === null || now - session.authenticatedAt < RECENT_MS;
  return isRecent ? null : redirect(`/confirm-identity?${new URLSearchParams({ next }).toString()}`);
}
