import { InvalidInputError, VetoError } from '../shared/errors.ts';
import { DeadlineError, sweepsIn, type Awaited, type Deadlines } from './deadline.ts';
import type { Listener } from './hook-point.ts';
import type { FailureMode } from './tokens.ts';

export interface GuardedToken {
  readonly name: string;
  readonly failure: FailureMode;
  readonly budgetMs: number;
}

export interface Guards {
  deadlines: Deadlines;
  deadlineMs: number;
  blame: (token: GuardedToken, listener: Listener, error: unknown) => void;
}

interface Plan<R> {
  token: GuardedToken;
  listeners: readonly Listener[];
  guards: Guards;
  /** This run is one of those that are timed. */
  isTimed: boolean;
  ask: (listener: Listener) => unknown;
  /** May throw a refusal. */
  take: (answer: unknown) => void;
  result: () => R;
}

const FAULT_OVER_BUDGET = 10;

/**
 * One run through the listeners of a hook. There is one deadline record for the whole run: when a listener hangs, the run
 * goes on from the next one, and whatever the hanging one says later finds that its turn is over.
 */
export class GuardedRun<R> implements Awaited {
  readonly #plan: Plan<R>;
  readonly #outcome = Promise.withResolvers<R>();
  sweepsLeft = 0;
  #at = 0;
  /** Rises when a listener is given up, so that its late answer is not mistaken for a present one. */
  #turn = 0;
  #isWatched = false;

  constructor(plan: Plan<R>) {
    this.#plan = plan;
  }

  start(): Promise<R> {
    void this.#goOn(this.#turn);
    return this.#outcome.promise;
  }

  /** The listener whose turn it is has not answered in time. */
  giveUp(): void {
    const { guards, listeners } = this.#plan;
    const listener = listeners[this.#at];
    if (!listener) return;
    this.#isWatched = false;
    this.#turn += 1;
    this.#at += 1;
    try {
      this.#fail(listener, new DeadlineError(guards.deadlineMs));
    } catch (refusal) {
      this.#outcome.reject(refusal);
      return;
    }
    void this.#goOn(this.#turn);
  }

  async #goOn(turn: number): Promise<void> {
    const { listeners, isTimed, result } = this.#plan;
    try {
      for (let listener = listeners[this.#at]; listener; listener = listeners[(this.#at += 1)]) {
        const startedAt = isTimed ? performance.now() : 0;
        try {
          let answer = this.#ask(listener);
          if (isThenable(answer)) {
            this.#watch();
            answer = await answer;
            if (turn !== this.#turn) return;
          }
          this.#take(listener, answer, startedAt);
        } catch (error) {
          if (turn !== this.#turn) return;
          this.#fail(listener, error);
        }
      }
      this.#end();
      this.#outcome.resolve(result());
    } catch (refusal) {
      this.#end();
      this.#outcome.reject(refusal);
    }
  }

  #ask(listener: Listener): unknown {
    if (!listener.breaker.admits()) throw new BreakerOpen();
    listener.cost.calls += 1;
    return this.#plan.ask(listener);
  }

  #watch(): void {
    const { deadlines, deadlineMs } = this.#plan.guards;
    this.sweepsLeft = sweepsIn(deadlineMs);
    if (!this.#isWatched) deadlines.add(this);
    this.#isWatched = true;
  }

  #take(listener: Listener, answer: unknown, startedAt: number): void {
    const isFarTooSlow = this.#plan.isTimed && this.#isFarTooSlow(listener, startedAt);
    if (!isFarTooSlow) listener.breaker.succeeded();
    this.#plan.take(answer);
  }

  /** A refusal rises; anything else is the listener's fault, and ends the run only where the hook is closed. */
  #fail(listener: Listener, error: unknown): void {
    const { token, guards } = this.#plan;
    if (isRefusal(error)) {
      listener.breaker.succeeded();
      throw error;
    }
    if (!(error instanceof BreakerOpen)) guards.blame(token, listener, error);
    if (token.failure === 'closed') throw unavailable(token, listener.owner, error);
  }

  #isFarTooSlow(listener: Listener, startedAt: number): boolean {
    const { token, guards } = this.#plan;
    const { cost } = listener;
    const took = performance.now() - startedAt;
    cost.timed += 1;
    cost.totalMs += took;
    cost.slowestMs = Math.max(cost.slowestMs, took);
    if (took <= token.budgetMs * FAULT_OVER_BUDGET) return false;
    guards.blame(token, listener, new DeadlineError(token.budgetMs));
    return true;
  }

  #end(): void {
    if (this.#isWatched) this.#plan.guards.deadlines.delete(this);
  }
}

/** It failed too often of late and is not asked. */
class BreakerOpen extends Error {}

export const unavailable = ({ name }: GuardedToken, owner: string, cause?: unknown): VetoError =>
  new VetoError('hook.unavailable', { params: { hook: name, plugin: owner }, cause });

/** A listener says no on purpose with one of these; anything else that it throws is its fault. */
const isRefusal = (error: unknown): boolean =>
  error instanceof VetoError || error instanceof InvalidInputError;

const isThenable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
