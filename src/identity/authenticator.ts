import type { Authenticator } from '../http/authenticator.ts';
import type { AccessTokenService } from './access-token-service.ts';
import type { SessionService } from './session-service.ts';

/** What the web asks of us at each request. */
export const authenticatorOf = (deps: {
  sessions: SessionService;
  accessTokens: AccessTokenService;
}): Authenticator => ({
  bySession: (token) => deps.sessions.bySession(token),
  byBearer: (token) => deps.accessTokens.byBearer(token),
});
