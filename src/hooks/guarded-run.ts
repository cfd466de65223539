import { InvalidInputError, VetoError } from '../shared/errors.ts';
import { DeadlineError, type Awaited, type Deadlines } from './deadline.ts';
import { deepFreeze } from './freeze.ts';
import type { HookPoint, Listener } from './hook-point.ts';
import type { Observer, Outcome } from './observer.ts';
import type { HookToken } from './tokens.ts';

export interface Guards {
  deadlines: Deadlines;
  deadlineMs: number;
  /** The same in sweeps. */
  deadlineSweeps: number;
  /** Listeners that write to what they are only shown, throw. */
  isStrict: boolean;
  blame: (token: HookToken, listener: Listener, error: unknown) => void;
}

/** What differs between the kinds: how a listener is asked, and what its answer makes of the value. */
export interface Way {
  ask: (listener: Listener, value: unknown, context: unknown) => unknown;
  /** May throw a refusal. */
  take: (answer: unknown, value: unknown, listener: Listener) => unknown;
}

interface Start {
  point: HookPoint;
  token: HookToken;
  guards: Guards;
  way: Way;
  value: unknown;
  context: unknown;
  /** Whose turn it is, where the quick loop has asked those before. */
  at?: number;
  observer?: Observer | undefined;
}

const FAULT_OVER_BUDGET = 10;
/** A busy machine takes the processor away for so long now and then. */
const FAULT_FROM_MS = 100;

/** How somebody has answered. */
interface Manner {
  heldUpAll: boolean;
}

const AT_ONCE: Manner = { heldUpAll: true };
const AWAITED: Manner = { heldUpAll: false };

/**
 * One run through the listeners of a hook, with a close look at each. There is one deadline record for the whole run: when a
 * listener hangs, the run goes on from the next one, and whatever the hanging one says later finds that its turn is over.
 * As long as nobody needs time, it does not take any: the answer comes at once.
 */
export class GuardedRun implements Awaited {
  readonly #point: HookPoint;
  readonly #token: HookToken;
  readonly #guards: Guards;
  readonly #way: Way;
  readonly #context: unknown;
  readonly #listeners: readonly Listener[];
  readonly #observer: Observer | undefined;
  readonly #isTimed: boolean;
  sweepsLeft = 0;
  before: Awaited | null = null;
  after: Awaited | null = null;
  #value: unknown;
  #at: number;
  #startedAt = 0;
  #seenBefore: unknown;
  /** Rises when a listener is given up, so that its late answer is not mistaken for a present one. */
  #turn = 0;
  #isWatched = false;
  #outcome: PromiseWithResolvers<unknown> | null = null;

  constructor({ point, token, guards, way, value, context, at = 0, observer }: Start) {
    this.#point = point;
    this.#token = token;
    this.#guards = guards;
    this.#way = way;
    this.#value = value;
    this.#context = context;
    this.#listeners = point.listeners;
    this.#at = at;
    this.#observer = observer;
    // What the quick loop hands over in the middle has begun unseen.
    this.#isTimed = observer !== undefined || (at === 0 && point.runs >= point.timedAt);
  }

  /** The value, or a promise of it where somebody needs time. A refusal is a rejection, never thrown. */
  start(): unknown {
    try {
      return this.#resultOf(this.#askUntilPending());
    } catch (refusal) {
      return this.#refused(refusal);
    }
  }

  /** The listener whose turn it is has answered with a promise. */
  startWaiting(pending: PromiseLike<unknown>): Promise<unknown> {
    this.#outcome = Promise.withResolvers<unknown>();
    void this.#goOn(this.#turn, pending);
    return this.#outcome.promise;
  }

  /** The listener whose turn it is has thrown. */
  startAfter(error: unknown): unknown {
    try {
      this.#fail(this.#current(), error);
    } catch (refusal) {
      return this.#refused(refusal);
    }
    this.#at += 1;
    return this.start();
  }

  /** The listener whose turn it is has not answered in time. */
  giveUp(): void {
    this.#isWatched = false;
    this.#turn += 1;
    try {
      this.#fail(this.#current(), new DeadlineError(this.#guards.deadlineMs));
      this.#at += 1;
      const pending = this.#askUntilPending();
      if (pending === null) this.#end();
      else void this.#goOn(this.#turn, pending);
    } catch (refusal) {
      this.#end(refusal);
    }
  }

  #resultOf(pending: PromiseLike<unknown> | null): unknown {
    if (pending !== null) return this.startWaiting(pending);
    this.#point.timeAgainLater();
    return this.#value;
  }

  #refused(refusal: unknown): Promise<unknown> {
    this.#skipRest();
    const { promise, reject } = Promise.withResolvers();
    reject(refusal);
    return promise;
  }

  /** Asks one after the other until somebody needs time; null when all have answered. */
  #askUntilPending(): PromiseLike<unknown> | null {
    for (; this.#at < this.#listeners.length; this.#at += 1) {
      const listener = this.#current();
      try {
        const answer = this.#ask(listener);
        if (isThenable(answer)) {
          // What it computed before it began to wait, it made everybody wait for.
          if (this.#isTimed) this.#blameIfFarTooSlow(listener, performance.now() - this.#startedAt);
          return answer;
        }
        this.#take(listener, answer, AT_ONCE);
      } catch (error) {
        this.#fail(listener, error);
      }
    }
    return null;
  }

  async #goOn(turn: number, first: PromiseLike<unknown>): Promise<void> {
    try {
      for (let pending: PromiseLike<unknown> | null = first; pending; pending = this.#askUntilPending()) {
        this.#watch();
        const listener = this.#current();
        try {
          const answer = await pending;
          if (turn !== this.#turn) return;
          this.#take(listener, answer, AWAITED);
        } catch (error) {
          if (turn !== this.#turn) return;
          this.#fail(listener, error);
        }
        this.#at += 1;
      }
      this.#end();
    } catch (refusal) {
      this.#end(refusal);
    }
  }

  #current(): Listener {
    const listener = this.#listeners[this.#at];
    if (!listener) throw new RangeError(`Nobody has the turn at ${this.#token.name}`);
    return listener;
  }

  #ask(listener: Listener): unknown {
    if (!listener.breaker.isClosed && !listener.breaker.admits()) throw new BreakerOpen();
    if (this.#observer) this.#seenBefore = this.#observer.look(this.#value);
    if (this.#isTimed && (this.#observer || this.#startedAt === 0)) this.#startedAt = performance.now();
    const { isStrict } = this.#guards;
    if (!isStrict) return this.#way.ask(listener, this.#value, this.#context);
    return this.#way.ask(listener, deepFreeze(this.#value), deepFreeze(this.#context));
  }

  #watch(): void {
    this.sweepsLeft = this.#guards.deadlineSweeps;
    if (this.#isWatched) return;
    this.#guards.deadlines.add(this);
    this.#isWatched = true;
  }

  /**
   * Whoever answers at once and far too slowly has held up the whole house, and is at fault. Whoever had to wait may have waited for the
   * house itself, in a rush: as long as they are within the deadline, they are only slow.
   */
  #take(listener: Listener, answer: unknown, { heldUpAll }: Manner): void {
    const tookMs = this.#isTimed ? this.#charge(listener) : 0;
    const isFarTooSlow = heldUpAll && this.#blameIfFarTooSlow(listener, tookMs);
    if (!listener.breaker.isClosed && !isFarTooSlow) listener.breaker.succeeded();
    this.#value = this.#way.take(answer, this.#value, listener);
    if (this.#observer) this.#tell(this.#observer, listener, 'answered', tookMs);
  }

  /** Whoever comes next begins where this one ended: the clock is dear, and read once for both. */
  #charge({ cost }: Listener): number {
    const now = performance.now();
    const tookMs = now - this.#startedAt;
    this.#startedAt = now;
    cost.timed += 1;
    cost.totalMs += tookMs;
    cost.slowestMs = Math.max(cost.slowestMs, tookMs);
    cost.latencies.add(tookMs);
    return tookMs;
  }

  #blameIfFarTooSlow(listener: Listener, tookMs: number): boolean {
    const { budgetMs } = this.#token;
    if (tookMs <= Math.max(budgetMs * FAULT_OVER_BUDGET, FAULT_FROM_MS)) return false;
    this.#guards.blame(this.#token, listener, new DeadlineError(budgetMs));
    return true;
  }

  /** A refusal rises; anything else is the listener's fault, and ends the run only where the hook is closed. */
  #fail(listener: Listener, error: unknown): void {
    const isResting = error instanceof BreakerOpen;
    const tookMs = this.#isTimed && !isResting ? this.#charge(listener) : 0;
    if (isRefusal(error)) {
      if (!listener.breaker.isClosed) listener.breaker.succeeded();
      if (this.#observer) this.#tell(this.#observer, listener, 'refused', tookMs);
      throw error;
    }
    if (isResting) listener.cost.missed += 1;
    else this.#guards.blame(this.#token, listener, error);
    if (this.#observer) this.#tell(this.#observer, listener, isResting ? 'resting' : 'failed', tookMs);
    if (this.#token.failure === 'closed') throw unavailable(this.#token, listener.owner, error);
  }

  #tell(observer: Observer, { owner }: Listener, outcome: Outcome, tookMs: number): void {
    const { name: hook, kind } = this.#token;
    const [before, after] = [this.#seenBefore, observer.look(this.#value)];
    observer.saw({ hook, kind, owner, outcome, tookMs, before, after });
  }

  #end(refusal?: unknown): void {
    if (this.#isWatched) this.#guards.deadlines.delete(this);
    this.#isWatched = false;
    if (refusal === undefined) this.#point.timeAgainLater();
    else this.#skipRest();
    if (refusal === undefined) this.#outcome?.resolve(this.#value);
    else this.#outcome?.reject(refusal);
  }

  /** Whoever comes after a refusal was not asked. */
  #skipRest(): void {
    for (const { cost } of this.#listeners.slice(this.#at + 1)) cost.missed += 1;
    this.#point.timeAgainLater();
  }
}

/** It failed too often of late and is not asked. */
class BreakerOpen extends Error {}

export const unavailable = ({ name }: { name: string }, owner: string, cause?: unknown): VetoError =>
  new VetoError('hook.unavailable', { params: { hook: name, plugin: owner }, cause });

/** A listener says no on purpose with one of these; anything else that it throws is its fault. */
const isRefusal = (error: unknown): boolean =>
  error instanceof VetoError || error instanceof InvalidInputError;

export const isThenable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
