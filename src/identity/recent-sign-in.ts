import { redirect, type Reply } from '../http/reply.ts';
import type { SessionInfo } from '../http/route.ts';
import { RECENT_MS } from './session.ts';

/**
 * For what must not be done at an unattended desk: null when the person proved who they are in the last ten minutes,
 * else the way to the page that asks for the password and leads back to `next`.
 */
export function confirmFirst(
  session: SessionInfo | null,
  { now, next }: { now: number; next: string },
): Reply | null {
  if (session && session.authenticatedAt > now - RECENT_MS) return null;
  return redirect(`/confirm-identity?next=${encodeURIComponent(next)}`);
}
