import type { BackgroundOverview } from './background-service.ts';
import type { Delivery } from './delivery.ts';
import type { ListedJob } from './job-scheduler.ts';

interface Look {
  look: 'running' | 'failed' | 'done' | 'new';
  tone: string;
}

export function presentBackground({ holds, queue, troubled, jobs }: BackgroundOverview): object {
  return {
    holds,
    queue,
    troubled: { ...troubled, items: troubled.items.map(presentDelivery) },
    jobs: jobs.map((job) => ({ ...job, ...lookOf(job) })),
  };
}

const presentDelivery = (delivery: Delivery): object => ({
  ...delivery,
  isDead: delivery.state === 'dead',
  tone: delivery.state === 'dead' ? 'danger' : 'warning',
});

function lookOf({ startedAt, finishedAt, lastError, leaseUntil }: ListedJob): Look {
  if (startedAt === null) return { look: 'new', tone: 'quiet' };
  if (leaseUntil > startedAt && (finishedAt === null || finishedAt < startedAt))
    return { look: 'running', tone: 'info' };
  return lastError === null ? { look: 'done', tone: 'success' } : { look: 'failed', tone: 'danger' };
}
