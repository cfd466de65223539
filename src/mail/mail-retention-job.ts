import type { Database } from '../db/database.ts';
import type { JobScheduler } from '../jobs/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sweepMails } from './mail-repository.ts';

const DAY_MS = 24 * 3_600_000;
const KEEP_MS = 30 * DAY_MS;
const KEEP_CONTENT_MS = 7 * DAY_MS;

/** The delivery list goes back a month; what could not be sent can be tried again for a week. */
export function scheduleMailRetention(
  jobs: JobScheduler,
  { db, clock }: { db: Database; clock: Clock },
): () => void {
  return jobs.every({
    id: 'mail.retention',
    everyMs: 6 * 3_600_000,
    run: async () => {
      const now = clock.now();
      await db.transaction((tx) =>
        sweepMails(tx, { before: now - KEEP_MS, eraseBefore: now - KEEP_CONTENT_MS }),
      );
    },
  });
}
