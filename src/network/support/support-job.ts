import type { Undo } from '../../hooks/index.ts';
import type { JobScheduler } from '../../jobs/index.ts';
import type { SupportCourier } from './support-courier.ts';

/** Looks often whether something is due; most of the time nothing is. */
export const scheduleSupport = (jobs: JobScheduler, courier: SupportCourier): Undo =>
  jobs.every({ id: 'network.support', everyMs: 15_000, run: () => courier.run() });
