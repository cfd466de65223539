import type { Tx } from '../db/database.ts';

/** What every hook says of itself; the catalogue, the docs and the budgets come from here. */
export interface HookFacts {
  /** Dotted, the owner first: `ticket.created`; a plugin's begin with its id. */
  name: string;
  summary: string;
  since: string;
}

/** What happens to the operation when a listener throws, hangs or is missing: it goes on without it, or it is refused. */
export type FailureMode = 'open' | 'closed';

interface Guarded extends HookFacts {
  failure: FailureMode;
  /** Milliseconds a listener may take before it is named as slow. It is cut off at the deadline (250 ms). */
  budgetMs: number;
}

interface Told<P> extends HookFacts {
  /** Of each listener, for one delivery; half a second unless said. It is cut off and retried after thirty seconds. */
  budgetMs?: number;
  /**
   * For an event that asks everybody to forget somebody: the words that name them. Within the hour after the last listener has heard of
   * it, no event that has them is kept any more, this one included. Anything else that was told is kept for a week.
   */
  forgets?(payload: P): readonly string[];
}

declare const carries: unique symbol;

/** A value goes in and comes out, through every listener in order. Runs before the transaction. */
export interface FilterToken<V, C> extends Guarded {
  readonly kind: 'filter';
  readonly [carries]?: (value: V, context: C) => V;
}

/** The first listener that gives a reason stops the operation. Runs before the transaction. */
export interface VetoToken<C> extends Guarded {
  readonly kind: 'veto';
  readonly [carries]?: (context: C) => void;
}

/** Told after commit, at least once, from delivery rows: the operation is over, and never sees a failure. The payload is plain JSON. */
export interface EventToken<P> extends Guarded {
  readonly kind: 'event';
  readonly failure: 'open';
  readonly [carries]?: (payload: P) => void;
  forgets?(payload: P): readonly string[];
}

/** A place that plugins add something to: each listener gives its thing, or null to stay away. */
export interface ContributionToken<T, C> extends Guarded {
  readonly kind: 'contribution';
  readonly failure: 'open';
  readonly [carries]?: (context: C) => T;
}

export interface Refusal {
  /** Machine code and i18n key in the plugin's own namespace. */
  code: string;
  params?: Record<string, string | number>;
  /** The form field it is about, where there is one. */
  field?: string;
}

const EVENT_BUDGET_MS = 500;

export const defineFilter = <V, C = Record<string, never>>(facts: Guarded): FilterToken<V, C> => ({
  kind: 'filter',
  ...facts,
});
export const defineVeto = <C>(facts: Guarded): VetoToken<C> => ({ kind: 'veto', ...facts });
export const defineEvent = <P>(facts: Told<P>): EventToken<P> => ({
  kind: 'event',
  failure: 'open',
  budgetMs: EVENT_BUDGET_MS,
  ...facts,
});
export const defineContribution = <T, C = Record<string, never>>(
  facts: Omit<Guarded, 'failure'>,
): ContributionToken<T, C> => ({ kind: 'contribution', failure: 'open', ...facts });

export interface Order {
  /** Plugin ids this listener comes before or after. */
  before?: string[];
  after?: string[];
  /** Lower is earlier; 10 unless said. */
  priority?: number;
}

export type Undo = () => void;
export type FilterListener<V, C> = (value: V, context: Readonly<C>) => V | undefined | Promise<V | undefined>;
export type VetoListener<C> = (context: Readonly<C>) => Refusal | null | Promise<Refusal | null>;
export type ContributionListener<T, C> = (context: Readonly<C>) => T | null | Promise<T | null>;

/** A thing, and which plugin it came from. */
export interface Contributed<T> {
  owner: string;
  thing: T;
}

/** What a listener gets beside the payload. The event comes at least once: what must happen only once goes through `once`. */
export interface EventDelivery {
  readonly eventId: string;
  /** When it happened. */
  readonly at: number;
  /** Aborted when the listener took too long or its owner is being stopped. */
  readonly signal: AbortSignal;
  /** Runs `work` once for this event however often it is delivered, in a transaction of its own. */
  readonly once: (work: (tx: Tx) => Promise<void>) => Promise<void>;
}

export type EventListener<P> = (payload: P, delivery: EventDelivery) => void | Promise<void>;
/** A hook of any kind, whatever travels with it. */
export interface HookToken extends Readonly<Guarded> {
  readonly kind: 'filter' | 'veto' | 'event' | 'contribution';
}
