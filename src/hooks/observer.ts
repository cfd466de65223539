import type { ChargedKind } from './cost-account.ts';
import type { HookToken } from './tokens.ts';

/** `resting`: not asked, for it has failed too often of late. */
export type Outcome = 'answered' | 'failed' | 'refused' | 'resting';

/** What one listener did in one run. */
export interface HookStep {
  hook: string;
  kind: HookToken['kind'] | ChargedKind;
  owner: string;
  outcome: Outcome;
  tookMs: number;
  /** As the observer looked at them. */
  before: unknown;
  after: unknown;
}

/** Somebody who looks on while listeners are asked: for one request, or for one value. */
export interface Observer {
  /** Takes down what matters to it of a value; listeners may go on changing the value itself. */
  look(value: unknown): unknown;
  saw(step: HookStep): void;
}

/** Two who look on at the same run. */
export const bothOf = (one: Observer, other: Observer): Observer => ({
  look: (value) => [one.look(value), other.look(value)],
  saw: ({ before, after, ...step }) => {
    for (const [at, observer] of [one, other].entries())
      observer.saw({ ...step, before: (before as unknown[])[at], after: (after as unknown[])[at] });
  },
});
