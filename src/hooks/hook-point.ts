import type { Clock } from '../shared/clock.ts';
import { Breaker } from './breaker.ts';
import { arrange, type Ordered } from './listener-order.ts';
import type { HookToken, Order, Undo } from './tokens.ts';

/** One function of one owner, with what is known of how it behaves. */
export interface Listener extends Ordered {
  readonly call: (...args: never[]) => unknown;
  readonly breaker: Breaker;
  readonly cost: Cost;
}

/** Sampled: one call in sixty-four is timed. */
export interface Cost {
  calls: number;
  faults: number;
  timed: number;
  totalMs: number;
  slowestMs: number;
}

interface Registration {
  owner: string;
  order: Order;
  call: (...args: never[]) => unknown;
}

/** One hook by its name: who listens, in which order, and who should but does not. */
export class HookPoint {
  readonly name: string;
  token: HookToken | null = null;
  /** Replaced whole at every change, so that a run in progress keeps the list that it began with. */
  listeners: readonly Listener[] = [];
  contradicting: readonly string[] = [];
  /** Owners that are enabled and should listen, but do not run here. */
  missing: readonly string[] = [];
  readonly #expected = new Map<string, number>();
  readonly #clock: Clock;
  #seats = 0;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  /** Everybody an event must be kept for, running here or not. */
  get consumers(): string[] {
    return [...new Set([...this.listeners.map(({ owner }) => owner), ...this.#expected.keys()])];
  }

  add({ owner, order, call }: Registration): Undo {
    this.#seats += 1;
    const breaker = this.listeners.find((one) => one.owner === owner)?.breaker ?? new Breaker(this.#clock);
    const cost = { calls: 0, faults: 0, timed: 0, totalMs: 0, slowestMs: 0 };
    const listener = { owner, order, call, seat: this.#seats, breaker, cost };
    this.#arrange([...this.listeners, listener]);
    return () => {
      this.#arrange(this.listeners.filter((one) => one !== listener));
    };
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
    this.contradicting = contradicting;
    this.missing = [...this.#expected.keys()].filter(
      (owner) => !listeners.some((one) => one.owner === owner),
    );
  }
}
