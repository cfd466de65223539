import type { Actor } from '../shared/actor.ts';
import type { SessionInfo } from './route.ts';

/** What the web needs of identity: it lives two floors up, so it is handed in. */
export interface Authenticator {
  bySession(token: string): Promise<{ actor: Actor; session: SessionInfo } | null>;
  byBearer(token: string): Promise<{ actor: Actor; scopes: readonly string[] } | null>;
}
