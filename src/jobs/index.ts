export {
  holdBackground,
  listHolds,
  releaseBackground,
  type BackgroundHold,
} from './background-hold-repository.ts';
export { backgroundRoutes } from './background-routes.ts';
export { BackgroundService } from './background-service.ts';
export { pauseAfter } from './backoff.ts';
export { listTroubled, reviveDelivery, skipDeliveries, type QueueStats } from './delivery-care-repository.ts';
export { EventDispatcher } from './event-dispatcher.ts';
export { failureText } from './failure-text.ts';
export { scheduleHousekeeping } from './housekeeping-job.ts';
export { JobScheduler, type JobDefinition, type JobTurn, type ListedJob } from './job-scheduler.ts';
export * from './job-hooks.ts';
export { jobsMenu } from './jobs-menu.ts';
export { jobsRights } from './jobs-rights.ts';
export { Poller } from './poller.ts';
