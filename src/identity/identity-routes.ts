import { auditRoutes, type AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Route } from '../http/route.ts';
import type { MailService } from '../mail/index.ts';
import type { Clock } from '../shared/clock.ts';
import { accountRoutes } from './account-routes.ts';
import { entityRoutes } from './entity-routes.ts';
import { groupRoutes } from './group-routes.ts';
import type { IdentityServices } from './identity-services.ts';
import { passkeyRoutes } from './passkey-routes.ts';
import { passwordRoutes } from './password-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { providerRoutes } from './provider-routes.ts';
import { securityRoutes } from './security-routes.ts';
import { setupRoutes } from './setup-routes.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { userRoutes } from './user-routes.ts';
import { welcomeRoutes, type WelcomeStep } from './welcome-routes.ts';

export interface IdentityPages extends IdentityServices {
  db: Database;
  clock: Clock;
  audit: AuditService;
  mail: MailService;
  site: () => Promise<{ timeZone: string }>;
  /** Whether the configuration says how people reach us; else the owner is asked. */
  originIsConfigured: boolean;
  /** Every scope that some call of the API asks for. */
  scopes: () => readonly string[];
  /** What to do first in a new house. */
  welcomeSteps: readonly WelcomeStep[];
}

/** Every page about people. */
export const identityRoutes = (pages: IdentityPages): Route[] => [
  ...signInRoutes(pages),
  ...setupRoutes(pages),
  ...welcomeRoutes(pages),
  ...passwordRoutes(pages),
  ...accountRoutes(pages),
  ...securityRoutes(pages),
  ...passkeyRoutes(pages),
  ...providerRoutes(pages),
  ...tokenRoutes(pages),
  ...userRoutes(pages),
  ...groupRoutes(pages),
  ...entityRoutes(pages),
  ...profileRoutes(pages),
  ...auditRoutes(pages),
];
