import type { Clock } from '../shared/clock.ts';

export interface BreakerLimits {
  faults: number;
  withinMs: number;
  openMs: number;
}

export const USUAL_LIMITS: BreakerLimits = { faults: 5, withinMs: 60_000, openMs: 30_000 };

export type BreakerState = 'closed' | 'open' | 'trial';

/** Stops asking a listener that keeps failing; after a pause one call tries whether it has recovered. */
export class Breaker {
  readonly #clock: Clock;
  readonly #limits: BreakerLimits;
  /** A plain field, for it is read at every call. */
  isClosed = true;
  #faults: number[] = [];
  #opensUntil: number | null = null;
  #isTrying = false;

  readonly #opened: () => void;

  constructor(clock: Clock, limits: BreakerLimits = USUAL_LIMITS, opened: () => void = () => undefined) {
    this.#clock = clock;
    this.#limits = limits;
    this.#opened = opened;
  }

  get state(): BreakerState {
    if (this.#opensUntil === null) return 'closed';
    return this.#clock.now() < this.#opensUntil ? 'open' : 'trial';
  }

  /** Whether a call may go through now. In the trial only one at a time does. */
  admits(): boolean {
    if (this.#opensUntil === null) return true;
    if (this.#isTrying || this.#clock.now() < this.#opensUntil) return false;
    this.#isTrying = true;
    return true;
  }

  succeeded(): void {
    if (!this.#isTrying) return;
    this.#isTrying = false;
    this.#opensUntil = null;
    this.isClosed = true;
    this.#faults = [];
  }

  failed(): void {
    // Asked before it opened: of sixty who were in the middle of it, the fifth has said it for all.
    if (!this.isClosed && !this.#isTrying) return;
    const now = this.#clock.now();
    this.#faults = [...this.#faults.filter((at) => at > now - this.#limits.withinMs), now];
    if (this.#isTrying || this.#faults.length >= this.#limits.faults) {
      this.#opensUntil = now + this.#limits.openMs;
      this.isClosed = false;
      this.#opened();
    }
    this.#isTrying = false;
  }
}
