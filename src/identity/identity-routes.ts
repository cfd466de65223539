import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccessTokenService } from './access-token-service.ts';
import type { Directory } from './directory.ts';
import type { MembershipService } from './membership-service.ts';
import type { Rights } from './rights.ts';
import type { SecondFactorService } from './second-factor-service.ts';
import type { SessionService } from './session-service.ts';
import { setupRoutes } from './setup-routes.ts';
import type { SetupService } from './setup-service.ts';
import { signInRoutes } from './sign-in-routes.ts';
import type { SignInService } from './sign-in-service.ts';
import type { UserService } from './user-service.ts';

export interface IdentityServices {
  db: Database;
  clock: Clock;
  audit: AuditService;
  rights: Rights;
  directory: Directory;
  users: UserService;
  memberships: MembershipService;
  sessions: SessionService;
  signIn: SignInService;
  secondFactors: SecondFactorService;
  accessTokens: AccessTokenService;
  setup: SetupService;
  /** Whether the configuration says how people reach us; else the owner is asked. */
  originIsConfigured: boolean;
}

/** Every page about people. */
export const identityRoutes = (services: IdentityServices): Route[] => [
  ...signInRoutes(services),
  ...setupRoutes(services),
];
