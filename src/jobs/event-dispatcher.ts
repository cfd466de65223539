import type { Database, Tx } from '../db/database.ts';
import { Deadlines } from '../hooks/index.ts';
import type { EventDelivery, HookFault, Hooks, Undo } from '../hooks/index.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../shared/clock.ts';
import { UnavailableError } from '../shared/errors.ts';
import { pauseAfter } from './backoff.ts';
import { deliveryStats, type QueueStats } from './delivery-care-repository.ts';
import type { ClaimedDelivery } from './delivery.ts';
import { claimDeliveries, endDelivery, holdsLease, markOnce } from './delivery-repository.ts';
import { failureText } from './failure-text.ts';
import { Poller } from './poller.ts';

export interface DispatcherLimits {
  /** How many deliveries this process works on at once. */
  atOnce: number;
  /** A listener that has not finished by then has failed. */
  deadlineMs: number;
  /** Who dies meanwhile loses the delivery after this; longer than the deadline. */
  leaseMs: number;
  attempts: number;
  firstPauseMs: number;
  longestPauseMs: number;
  /** How long `once` may keep its transaction open. */
  onceMs: number;
  idleMs: number;
}

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  log: Log;
  onFault?: (fault: HookFault) => void;
  limits?: Partial<DispatcherLimits>;
}

const USUAL: DispatcherLimits = {
  atOnce: 8,
  deadlineMs: 30_000,
  leaseMs: 60_000,
  attempts: 10,
  firstPauseMs: 1_000,
  longestPauseMs: 30 * 60_000,
  onceMs: 5_000,
  idleMs: 1_000,
};

/**
 * Tells listeners what happened: at least once, in order for each aggregate and consumer, by any number of processes.
 * A failing event waits and is tried again; only later events of the same aggregate wait with it. After ten attempts it
 * is put aside for a person.
 */
export class EventDispatcher {
  readonly #deps: Deps;
  readonly #limits: DispatcherLimits;
  readonly #poller: Poller;
  readonly #deadlines = new Deadlines();
  readonly #running = new Map<Promise<void>, { abort: AbortController; consumer: string }>();
  #unhear: Undo | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#limits = { ...USUAL, ...deps.limits };
    const { log } = deps;
    this.#poller = new Poller({
      work: () => this.#round(),
      idleMs: this.#limits.idleMs,
      log,
      name: 'events',
    });
  }

  start(): void {
    this.#unhear ??= this.#deps.hooks.whenEmitted(() => {
      this.#poller.nudge();
    });
    this.#poller.start();
  }

  /** Takes no more, lets what runs finish for `graceMs`, then tells it to stop. What was not finished is delivered again. */
  async stop({ graceMs = 10_000 } = {}): Promise<void> {
    this.#unhear?.();
    this.#unhear = null;
    await this.#poller.stop();
    const impatience = setTimeout(() => {
      for (const { abort } of this.#running.values()) abort.abort();
    }, graceMs);
    await Promise.all(this.#running.keys());
    clearTimeout(impatience);
  }

  /** Stops what runs for one owner and waits for it: a plugin is being disabled. Remove its listeners first. */
  async release(owner: string): Promise<void> {
    const theirs = [...this.#running].filter(([, { consumer }]) => consumer === owner);
    for (const [, { abort }] of theirs) abort.abort();
    await Promise.all(theirs.map(([work]) => work));
  }

  /** Delivers all that is due now and returns: for tests and for the command line. */
  async drain(): Promise<void> {
    while ((await this.#round()) || this.#running.size > 0) await Promise.all(this.#running.keys());
  }

  stats(): Promise<QueueStats> {
    const { db, clock, hooks } = this.#deps;
    return deliveryStats(db, { now: clock.now(), subscriptions: hooks.subscriptions() });
  }

  async #round(): Promise<boolean> {
    const { db, clock, hooks } = this.#deps;
    const free = this.#limits.atOnce - this.#running.size;
    const options = {
      now: clock.now(),
      leaseMs: this.#limits.leaseMs,
      limit: free,
      subscriptions: hooks.subscriptions(),
    };
    const claimed = free > 0 ? await claimDeliveries(db, options) : [];
    for (const delivery of claimed) this.#begin(delivery);
    return claimed.length > 0 && this.#running.size < this.#limits.atOnce;
  }

  #begin(delivery: ClaimedDelivery): void {
    const abort = new AbortController();
    const work = this.#deliver(delivery, abort).finally(() => {
      this.#running.delete(work);
      this.#poller.nudge();
    });
    this.#running.set(work, { abort, consumer: delivery.consumer });
  }

  async #deliver(delivery: ClaimedDelivery, abort: AbortController): Promise<void> {
    const { log } = this.#deps;
    try {
      const error = await this.#tell(delivery, abort);
      const isOurs = await this.#record(delivery, error);
      if (!isOurs) log.warn(factsOf(delivery), 'A delivery took longer than its lease');
    } catch (error) {
      // Not recorded: the lease runs out and the event comes again.
      log.error({ ...factsOf(delivery), error }, 'A delivery could not be recorded');
    }
  }

  /** The error of the listener that failed, or null. */
  async #tell(delivery: ClaimedDelivery, abort: AbortController): Promise<Error | null> {
    const { hooks, log, onFault } = this.#deps;
    const { consumer: owner, eventName: hook } = delivery;
    // It was begun often enough and never ended: whoever runs it dies of it.
    if (delivery.attempts > this.#limits.attempts) return new Error(delivery.lastError ?? 'It never ended');
    const startedAt = performance.now();
    let isFault = false;
    try {
      const told = this.#tellAll(hooks.eventListeners(owner, hook), delivery, abort);
      await this.#deadlines.watch(orAborted(told, abort.signal), this.#limits.deadlineMs);
      return null;
    } catch (error) {
      if (abort.signal.aborted) return asError(error);
      abort.abort();
      isFault = true;
      log.warn({ ...factsOf(delivery), error }, 'A listener failed to take an event');
      onFault?.({ owner, hook, error });
      return asError(error);
    } finally {
      hooks.charge({ owner, kind: 'event', name: hook, isFault, tookMs: performance.now() - startedAt });
    }
  }

  async #tellAll(
    listeners: ReturnType<Hooks['eventListeners']>,
    delivery: ClaimedDelivery,
    { signal }: AbortController,
  ): Promise<void> {
    if (listeners.length === 0) throw new UnavailableError('hook.unavailable');
    for (const [at, listener] of listeners.entries()) {
      signal.throwIfAborted();
      await listener(delivery.payload, this.#deliveryFor(delivery, { signal, at }));
    }
  }

  #deliveryFor(
    delivery: ClaimedDelivery,
    { signal, at }: { signal: AbortSignal; at: number },
  ): EventDelivery {
    return {
      eventId: delivery.eventId,
      at: delivery.at,
      signal,
      once: (work) => this.#once({ delivery, signal, at }, work),
    };
  }

  async #once(
    { delivery, signal, at }: { delivery: ClaimedDelivery; signal: AbortSignal; at: number },
    work: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    const { db, clock } = this.#deps;
    const mark = {
      eventId: delivery.eventId,
      consumer: `${delivery.consumer}#${String(at)}`,
      at: clock.now(),
    };
    await db.transaction(async (tx) => {
      signal.throwIfAborted();
      if (!(await holdsLease(tx, delivery))) throw new UnavailableError('event.lease-lost');
      if (await markOnce(tx, mark)) await this.#deadlines.watch(work(tx), this.#limits.onceMs);
    });
  }

  async #record(delivery: ClaimedDelivery, error: Error | null): Promise<boolean> {
    const { db, clock } = this.#deps;
    const outcome = outcomeOf({ delivery, error, now: clock.now(), limits: this.#limits });
    return db.transaction((tx) => endDelivery(tx, delivery, outcome));
  }
}

interface Attempt {
  delivery: ClaimedDelivery;
  error: Error | null;
  now: number;
  limits: DispatcherLimits;
}

function outcomeOf({ delivery, error, now, limits }: Attempt): Parameters<typeof endDelivery>[2] {
  if (error === null) return { state: 'done', dueAt: now, lastError: null };
  const lastError = failureText(error);
  if (delivery.attempts >= limits.attempts) return { state: 'dead', dueAt: now, lastError };
  const pause = pauseAfter(delivery.attempts, {
    firstMs: limits.firstPauseMs,
    longestMs: limits.longestPauseMs,
  });
  return { state: 'waiting', dueAt: now + pause, lastError };
}

/** Ends when `signal` does, whether or not `work` takes notice of it. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(asError(signal.reason));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const factsOf = ({ eventId, eventName, consumer, attempts }: ClaimedDelivery): object => ({
  eventId,
  event: eventName,
  consumer,
  attempts,
});
