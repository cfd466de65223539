import type { Database } from '../db/database.ts';
import type { JobScheduler } from '../jobs/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { IdentityServices } from './identity-services.ts';
import { deleteAnsweredBefore } from './passkey-repository.ts';
import { deleteStepsBefore } from './sign-in-step-repository.ts';
import { deleteSecretsBefore } from './user-secret-repository.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Takes away what is over: sessions, half-finished sign-ins, links, counted tries. */
export function scheduleIdentityJobs(
  jobs: JobScheduler,
  {
    db,
    clock,
    sessions,
    throttle,
    accountEnds,
  }: { db: Database; clock: Clock } & Pick<IdentityServices, 'sessions' | 'throttle' | 'accountEnds'>,
): void {
  jobs.every({
    id: 'identity.account-ends',
    everyMs: 5 * 60_000,
    runOn: 'once-per-cluster',
    run: ({ signal }) => accountEnds.sweep(signal),
  });
  jobs.every({
    id: 'identity.sweep',
    everyMs: HOUR_MS,
    runOn: 'once-per-cluster',
    run: async () => {
      const now = clock.now();
      await sessions.sweep();
      await throttle.sweep();
      await db.transaction((tx) => deleteStepsBefore(tx, now));
      await db.transaction((tx) => deleteAnsweredBefore(tx, now));
      // Used links stay a day, so that a second click can be told what happened.
      await db.transaction((tx) => deleteSecretsBefore(tx, now - DAY_MS));
    },
  });
}
