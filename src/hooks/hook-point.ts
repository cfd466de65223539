import type { Clock } from '../shared/clock.ts';
import { Breaker, USUAL_LIMITS } from './breaker.ts';
import { Latencies } from './latencies.ts';
import { arrange, type Ordered } from './listener-order.ts';
import type { HookToken, Order, Undo } from './tokens.ts';

/** A listener as the loop calls it: a filter's gets a value and a context, all others the context alone. */
export type Call = (first: unknown, second?: unknown) => unknown;

/** One function of one owner, with what is known of how it behaves. */
export interface Listener extends Ordered {
  readonly call: Call;
  readonly breaker: Breaker;
  readonly cost: Cost;
}

/** What is counted of one listener. Sampled: see `HookPoint.timedAt`. */
export interface Cost {
  /** Runs of the hook before it listened, and those in which it was not asked. */
  missed: number;
  faults: number;
  timed: number;
  totalMs: number;
  slowestMs: number;
  readonly latencies: Latencies;
}

interface Registration {
  owner: string;
  order: Order;
  call: (...args: never[]) => unknown;
}

const ALL_TIMED_UNTIL = 64;
const TIMED_ONE_IN = 64;

/** One hook by its name: who listens, in which order, and who should but does not. */
export class HookPoint {
  readonly name: string;
  token: HookToken | null = null;
  /** Replaced whole at every change, so that a run in progress keeps the list that it began with. */
  listeners: readonly Listener[] = [];
  /** The same, bare: what the quick loop goes through. */
  calls: readonly Call[] = [];
  contradicting: readonly string[] = [];
  /** Owners that are enabled and should listen, but do not run here. */
  missing: readonly string[] = [];
  /** How often it was run with somebody listening. One count for all listeners: the quick loop writes nothing else. */
  runs = 0;
  /** The run from which on one must look closely: the next that is timed; at once while a breaker is open. */
  timedAt = 0;
  readonly #expected = new Map<string, number>();
  readonly #clock: Clock;
  #seats = 0;

  readonly #rested: (owner: string) => void;

  constructor(name: string, clock: Clock, rested: (owner: string) => void = () => undefined) {
    this.name = name;
    this.#clock = clock;
    this.#rested = rested;
  }

  /** Everybody an event must be kept for, running here or not. */
  get consumers(): string[] {
    return [...new Set([...this.listeners.map(({ owner }) => owner), ...this.#expected.keys()])];
  }

  /** Nobody listens, and nobody should. */
  get isIdle(): boolean {
    return this.listeners.length === 0 && this.#expected.size === 0;
  }

  /** The first runs are timed all, so that a rare hook has figures too; later one in sixty-four. */
  timeAgainLater(): void {
    const isResting = this.listeners.some(({ breaker }) => breaker.state !== 'closed');
    if (isResting) this.timedAt = 0;
    else this.timedAt = this.runs < ALL_TIMED_UNTIL ? this.runs + 1 : this.runs + TIMED_ONE_IN;
  }

  add({ owner, order, call }: Registration): Undo {
    this.#seats += 1;
    const breaker = this.listeners.find((one) => one.owner === owner)?.breaker ?? this.#newBreaker(owner);
    const cost = {
      missed: this.runs,
      faults: 0,
      timed: 0,
      totalMs: 0,
      slowestMs: 0,
      latencies: new Latencies(),
    };
    const listener = { owner, order, call: call as Call, seat: this.#seats, breaker, cost };
    this.#arrange([...this.listeners, listener]);
    return () => {
      this.#arrange(this.listeners.filter((one) => one !== listener));
    };
  }

  #newBreaker(owner: string): Breaker {
    return new Breaker(this.#clock, USUAL_LIMITS, () => {
      this.#rested(owner);
    });
  }

  expect(owner: string): Undo {
    this.#expected.set(owner, (this.#expected.get(owner) ?? 0) + 1);
    this.#arrange(this.listeners);
    let isUndone = false;
    return () => {
      if (isUndone) return;
      isUndone = true;
      const left = (this.#expected.get(owner) ?? 1) - 1;
      if (left > 0) this.#expected.set(owner, left);
      else this.#expected.delete(owner);
      this.#arrange(this.listeners);
    };
  }

  #arrange(all: readonly Listener[]): void {
    const { listeners, contradicting } = arrange([...all].sort((one, other) => one.seat - other.seat));
    this.listeners = listeners;
    this.calls = listeners.map(({ call }) => call);
    this.timedAt = 0;
    this.contradicting = contradicting;
    this.missing = [...this.#expected.keys()].filter(
      (owner) => !listeners.some((one) => one.owner === owner),
    );
  }
}
