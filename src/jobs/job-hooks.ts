import { defineEvent, defineVeto } from '../hooks/tokens.ts';

const since = '0.1.0';

export const jobMayRun = defineVeto<{ job: string }>({
  name: 'job.may-run',
  summary: 'Leaves out one turn of a job, in a maintenance window say.',
  since,
  failure: 'open',
  budgetMs: 50,
});

export const jobFinished = defineEvent<{ job: string; tookMs: number }>({
  name: 'job.finished',
  summary: 'A turn of a job that runs once in the cluster is done.',
  since,
});

export const jobFailed = defineEvent<{ job: string; tookMs: number; problem: string }>({
  name: 'job.failed',
  summary: 'A turn of a job that runs once in the cluster went wrong.',
  since,
});
