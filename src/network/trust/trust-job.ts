import type { Undo } from '../../hooks/index.ts';
import type { JobScheduler } from '../../jobs/index.ts';
import type { EntitlementService } from '../entitlement/entitlement-service.ts';
import type { TrustService } from './trust-service.ts';

/** Looks every minute whether it is time to ask what is newly signed, and what we are entitled to. */
export const scheduleTrustRefresh = (
  jobs: JobScheduler,
  trust: TrustService,
  entitlements: EntitlementService,
): Undo =>
  jobs.every({
    id: 'network.trust',
    everyMs: 60_000,
    run: async () => {
      await trust.refresh();
      await entitlements.refresh();
    },
  });
