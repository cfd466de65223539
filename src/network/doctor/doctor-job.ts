import type { Undo } from '../../hooks/index.ts';
import type { JobScheduler } from '../../jobs/index.ts';
import type { NetworkDoctor } from './doctor-service.ts';

/** Looks every night, when nobody waits; tells only of what has become worse. */
export const scheduleDoctor = (jobs: JobScheduler, doctor: NetworkDoctor): Undo =>
  jobs.every({ id: 'network.doctor', cron: '40 3 * * *', run: () => doctor.lookAtNight() });
