import type { TracedStep } from '../hooks/index.ts';

const tones: Record<TracedStep['outcome'], string> = {
  answered: 'quiet',
  failed: 'danger',
  refused: 'warning',
  resting: 'warning',
};

/** For `views/plugins/steps.hbs`. */
export const presentStep = (step: TracedStep, at?: number): object => ({
  ...step,
  at,
  took: Math.round(step.tookMs * 100) / 100,
  tone: step.changes.length > 0 ? 'info' : tones[step.outcome],
  outcomeKey:
    step.changes.length > 0 ? 'plugins:trace.outcome.changed' : `plugins:trace.outcome.${step.outcome}`,
});
