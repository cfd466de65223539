import type { Database, Tx } from '../db/database.ts';
import type { Hooks, Undo } from '../hooks/index.ts';
import type { Clock } from '../shared/clock.ts';
import { skipOrphans, skipUnheard, sweepDeliveries } from './delivery-care-repository.ts';
import { forgetWhoWasTold } from './forgetting.ts';
import type { JobScheduler } from './job-scheduler.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEEP_MS = 7 * DAY_MS;
const KEEP_DEAD_MS = 90 * DAY_MS;
/** Another node may run an older or a newer version for a while. */
const UNHEARD_MS = HOUR_MS;
const ORPHANED_MS = DAY_MS;

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
}

/**
 * Throws away what was delivered a week ago, and dead letters after three months; lets go of what nobody will ask for, and of whoever was
 * forgotten since the last time.
 */
export function scheduleHousekeeping(jobs: JobScheduler, { db, hooks, clock }: Deps): Undo {
  return jobs.every({
    id: 'jobs.housekeeping',
    everyMs: HOUR_MS,
    run: async ({ signal }) => {
      const now = clock.now();
      await db.transaction((tx) => letGo(tx, hooks, now));
      await forgetWhoWasTold(db, signal);
      let swept = 1;
      while (swept > 0 && !signal.aborted) {
        const ages = { before: now - KEEP_MS, deadBefore: now - KEEP_DEAD_MS };
        swept = await db.transaction((tx) => sweepDeliveries(tx, ages));
      }
    },
  });
}

async function letGo(tx: Tx, hooks: Hooks, now: number): Promise<void> {
  await skipUnheard(tx, { subscriptions: hooks.subscriptions(), before: now - UNHEARD_MS });
  await skipOrphans(tx, { consumers: hooks.consumers(), before: now - ORPHANED_MS });
}
