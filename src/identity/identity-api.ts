import type { Database } from '../db/database.ts';
import type { Route } from '../http/route.ts';
import type { IdentityServices } from './identity-services.ts';
import { meApi } from './me-api.ts';
import { entityApi, groupApi, profileApi } from './organisation-api.ts';
import { userApi } from './user-api.ts';

/** All calls about people and the organisation. */
export const identityApi = (services: IdentityServices & { db: Database }): Route[] => [
  ...meApi(services),
  ...userApi(services),
  ...groupApi(services),
  ...entityApi(services),
  ...profileApi(services),
];
