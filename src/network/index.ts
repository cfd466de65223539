export { HubClient } from './hub-client.ts';
export { scheduleNetworkRefresh } from './network-job.ts';
export { networkMenu } from './network-menu.ts';
export { networkRights } from './network-rights.ts';
export { networkRoutes } from './network-routes.ts';
export { NetworkService } from './network-service.ts';
export type { NetworkStatus } from './registration.ts';
