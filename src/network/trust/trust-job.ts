import type { Undo } from '../../hooks/index.ts';
import type { JobScheduler } from '../../jobs/index.ts';
import type { TrustService } from './trust-service.ts';

/** Looks every minute whether it is time to ask what is newly signed. */
export const scheduleTrustRefresh = (jobs: JobScheduler, trust: TrustService): Undo =>
  jobs.every({ id: 'network.trust', everyMs: 60_000, run: () => trust.refresh() });
