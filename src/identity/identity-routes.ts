import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Route } from '../http/route.ts';
import type { MailService } from '../mail/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { IdentityServices } from './identity-services.ts';
import { setupRoutes } from './setup-routes.ts';
import { signInRoutes } from './sign-in-routes.ts';

export interface IdentityPages extends IdentityServices {
  db: Database;
  clock: Clock;
  audit: AuditService;
  mail: MailService;
  /** Whether the configuration says how people reach us; else the owner is asked. */
  originIsConfigured: boolean;
}

/** Every page about people. */
export const identityRoutes = (pages: IdentityPages): Route[] => [
  ...signInRoutes(pages),
  ...setupRoutes(pages),
];
