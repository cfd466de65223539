import type { JobScheduler } from '../jobs/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { autoCloseDays } from './ticket-settings.ts';
import type { TicketServices } from './ticket-services.ts';

const HOUR_MS = 3_600_000;

/** What tickets need done while nobody looks. */
export function scheduleTicketJobs(
  jobs: JobScheduler,
  { solutions, attachments }: Pick<TicketServices, 'solutions' | 'attachments'>,
  settings: Pick<SettingsService, 'get'>,
): void {
  jobs.every({
    id: 'tickets.auto-close',
    everyMs: HOUR_MS,
    run: async () => {
      const days = await settings.get(autoCloseDays);
      if (days > 0) await solutions.closeLongSolved({ days });
    },
  });
  jobs.every({
    id: 'tickets.sweep-uploads',
    everyMs: HOUR_MS,
    run: async () => {
      await attachments.sweepDrafts();
    },
  });
}
