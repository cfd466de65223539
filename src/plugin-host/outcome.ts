import { redact } from '../crypto/tokens.ts';
import { KnownError } from '../shared/errors.ts';
import type { I18n } from '../views/index.ts';
import { ActivationError } from './activation.ts';
import type { OrderProblem } from './load-order.ts';
import type { ActualState, Step } from './plugin-repository.ts';

/** What became of a plugin in this process. */
export interface Outcome {
  state: ActualState;
  step: Step | null;
  error: string | null;
}

export const RUNNING: Outcome = { state: 'enabled', step: null, error: null };
export const OFF: Outcome = { state: 'disabled', step: null, error: null };
export const SAFE: Outcome = { state: 'safe-mode', step: null, error: null };

export const quarantined = (why: string | null): Outcome => ({
  state: 'quarantined',
  step: null,
  error: why,
});
export const failed = (step: Step, error: string): Outcome => ({
  state: 'failed',
  step,
  error: redact(error),
});
/** It runs, and there is something to say about it. */
export const stays = (step: Step, error: string): Outcome => ({ ...failed(step, error), state: 'enabled' });

/** For administrators and authors, who read English here as in the log; what is known has a sentence. */
export function sentenceOf(error: unknown, i18n: Pick<I18n, 'translate'>): string {
  const cause = error instanceof ActivationError ? error.cause : error;
  if (cause instanceof KnownError) return i18n.translate('en', `errors.${cause.code}`, cause.params);
  return cause instanceof Error ? cause.message : String(cause);
}

/** Why it cannot run beside the others. */
export function wordsOf({ code, other, wanted }: OrderProblem): string {
  switch (code) {
    case 'engine':
      return `It is made for Latchkey ${wanted}`;
    case 'missing':
      return `It requires ${other} ${wanted}, which is not enabled`;
    case 'version':
      return `It wants ${other} ${wanted}, which has another version`;
    case 'conflict':
      return `It cannot run beside ${other} ${wanted}`;
    case 'circle':
      return `It requires what requires it: ${other}`;
  }
}
