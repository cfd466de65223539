import type { Undo } from '../hooks/index.ts';
import type { JobScheduler } from '../jobs/index.ts';
import type { NetworkService } from './network-service.ts';

/** Looks every minute whether it is time to ask the hub. */
export const scheduleNetworkRefresh = (jobs: JobScheduler, network: NetworkService): Undo =>
  jobs.every({ id: 'network.refresh', everyMs: 60_000, run: () => network.refresh() });
