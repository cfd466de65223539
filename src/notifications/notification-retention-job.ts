import type { Database } from '../db/database.ts';
import type { Undo } from '../hooks/index.ts';
import type { JobScheduler } from '../jobs/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sweepNotifications } from './notification-repository.ts';

const DAY_MS = 24 * 3_600_000;
const KEEP_READ_MS = 60 * DAY_MS;
const KEEP_MS = 180 * DAY_MS;

/** What was read goes after two months, the rest after six. */
export function scheduleNotificationRetention(
  jobs: JobScheduler,
  { db, clock }: { db: Database; clock: Clock },
): Undo {
  return jobs.every({
    id: 'notifications.retention',
    everyMs: DAY_MS,
    run: async () => {
      const now = clock.now();
      await db.transaction((tx) =>
        sweepNotifications(tx, { readBefore: now - KEEP_READ_MS, before: now - KEEP_MS }),
      );
    },
  });
}
