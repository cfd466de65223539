import { redact } from '../crypto/tokens.ts';
import type { HookStep, Observer } from './observer.ts';

/** What one listener made of one field; without a name the value is no object. */
export interface TracedChange {
  field: string;
  before: string;
  after: string;
}

/** One listener that was asked, and what it changed. */
export interface TracedStep extends Pick<HookStep, 'hook' | 'kind' | 'owner' | 'outcome' | 'tookMs'> {
  changes: TracedChange[];
}

const LONGEST_VALUE = 300;
const MOST_STEPS = 500;

/** Writes down who was asked and who changed what. Values are kept as text, cut, without secrets. */
export class Trace implements Observer {
  readonly steps: TracedStep[] = [];
  readonly #keepsValues: boolean;

  constructor({ keepsValues = true } = {}) {
    this.#keepsValues = keepsValues;
  }

  look(value: unknown): unknown {
    if (!this.#keepsValues) return undefined;
    if (!isFields(value)) return inWords(value);
    return new Map(Object.entries(value).map(([field, one]) => [field, inWords(one)]));
  }

  saw({ before, after, ...step }: HookStep): void {
    if (this.steps.length < MOST_STEPS) this.steps.push({ ...step, changes: changesOf(before, after) });
  }

  /** Those who changed something, or would have and could not. */
  get telling(): TracedStep[] {
    return this.steps.filter(({ changes, outcome }) => changes.length > 0 || outcome !== 'answered');
  }
}

function changesOf(before: unknown, after: unknown): TracedChange[] {
  if (!(before instanceof Map && after instanceof Map))
    return before === after ? [] : [changeOf('', before, after)];
  const fields = [...new Set([...before.keys(), ...after.keys()])] as string[];
  return fields
    .filter((field) => before.get(field) !== after.get(field))
    .map((field) => changeOf(field, before.get(field), after.get(field)));
}

const changeOf = (field: string, before: unknown, after: unknown): TracedChange => ({
  field,
  before: shown(before),
  after: shown(after),
});

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : '';
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
};

const isFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function inWords(value: unknown): string {
  if (value === undefined) return '';
  try {
    return redact(typeof value === 'string' ? value : JSON.stringify(value));
  } catch {
    return '(cannot be shown)';
  }
}
