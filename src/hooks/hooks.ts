import type { Tx } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../shared/clock.ts';
import { KnownError, UnavailableError, VetoError } from '../shared/errors.ts';
import { DeadlineError, Deadlines } from './deadline.ts';
import { insertEvent } from './event-repository.ts';
import { deepFreeze } from './freeze.ts';
import { HookPoint, type Listener } from './hook-point.ts';
import type { CatalogueEntry } from './hook-catalogue.ts';
import { catalogueEntry } from './hook-catalogue.ts';
import type {
  EventListener,
  EventToken,
  FailureMode,
  FilterListener,
  FilterToken,
  HookToken,
  Order,
  Refusal,
  Undo,
  VetoListener,
  VetoToken,
} from './tokens.ts';

/** Whose listener went wrong, where, and how: what the plugin host keeps account of. */
export interface HookFault {
  owner: string;
  hook: string;
  error: unknown;
}

interface Deps {
  clock: Clock;
  log: Log;
  /** Hears of every fault of a listener. */
  onFault?: (fault: HookFault) => void;
  /** In development and tests: listeners that write to what they are only shown, throw. */
  strict?: boolean;
  /** A listener that has not answered by then is cut off. */
  deadlineMs?: number;
}

interface Guarded {
  readonly name: string;
  readonly failure: FailureMode;
  readonly budgetMs: number;
}

const DEADLINE_MS = 250;
const TIMED_ONE_IN = 64;
const FAULT_OVER_BUDGET = 10;

/**
 * Where core and plugins ask others (filters, vetoes) and tell them (events). Filters and vetoes run before a transaction,
 * one listener after the other, each guarded: one that throws or hangs is named and passed over, or refuses the
 * operation where the hook says so.
 */
export class Hooks {
  readonly #deps: Deps;
  readonly #points = new Map<string, HookPoint>();
  readonly #deadlines = new Deadlines();
  readonly #whenEmitted = new Set<() => void>();
  #runs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  onFilter<V, C>(
    owner: string,
    token: FilterToken<V, C>,
    listener: FilterListener<V, C>,
    order: Order = {},
  ): Undo {
    return this.#listen(token, { owner, order, call: listener });
  }

  onVeto<C>(owner: string, token: VetoToken<C>, listener: VetoListener<C>, order: Order = {}): Undo {
    return this.#listen(token, { owner, order, call: listener });
  }

  /** `owner` hears of it after commit, at least once, in the order in which things happened to one aggregate. */
  onEvent<P>(owner: string, token: EventToken<P>, listener: EventListener<P>): Undo {
    return this.#listen(token, { owner, order: {}, call: listener });
  }

  /** Runs `value` through every listener; an `undefined` answer leaves it as it is. Any `KnownError` thrown is a refusal. */
  async filter<V, C>(token: FilterToken<V, C>, value: V, context: C): Promise<V> {
    const point = this.#points.get(token.name);
    if (!point) return value;
    assertComplete(point, token);
    let current = value;
    for (const listener of point.listeners) {
      const call = listener.call as unknown as FilterListener<V, C>;
      const [shown, told] = [this.#shown(current), this.#shown(context)];
      const answer = await this.#ask(token, listener, () => call(shown, told));
      if (answer !== undefined) current = answer;
    }
    return current;
  }

  /** Throws a `VetoError` with the first reason that a listener gives. */
  async veto<C>(token: VetoToken<C>, context: C): Promise<void> {
    const point = this.#points.get(token.name);
    if (!point) return;
    assertComplete(point, token);
    for (const listener of point.listeners) {
      const call = listener.call as unknown as VetoListener<C>;
      const refusal = await this.#ask(token, listener, () => call(this.#shown(context)));
      if (refusal) throw vetoed(refusal);
    }
  }

  /**
   * Writes the event down in `tx`, with a delivery for each consumer; they hear of it once `tx` is durable.
   * Events of one aggregate (`ticket:01J…`) stay in order. What nobody listens to leaves no row.
   */
  async emit<P>(
    tx: Tx,
    token: EventToken<P>,
    payload: P,
    { aggregate }: { aggregate: string },
  ): Promise<void> {
    const consumers = this.#points.get(token.name)?.consumers ?? [];
    if (consumers.length === 0) return;
    await insertEvent(tx, { name: token.name, aggregate, payload, at: this.#deps.clock.now() }, consumers);
    tx.onCommit(() => {
      for (const task of this.#whenEmitted) task();
    });
  }

  /**
   * Says that `owner` is enabled and listens to this hook, running here or not. While it does not run, a fail-closed hook
   * refuses and names it, and events wait for it.
   */
  expectListener(owner: string, hook: string): Undo {
    return this.#point(hook).expect(owner);
  }

  /** Puts hooks into the catalogue before anybody listens to them. */
  declare(tokens: readonly HookToken[]): void {
    for (const token of tokens) this.#point(token.name).token ??= token;
  }

  catalogue(): CatalogueEntry[] {
    return [...this.#points.values()]
      .map(catalogueEntry)
      .sort((one, other) => one.name.localeCompare(other.name));
  }

  /** For the dispatcher: which events somebody here wants, by consumer. */
  subscriptions(): Map<string, string[]> {
    const subscriptions = new Map<string, string[]>();
    for (const { token, name, listeners } of this.#points.values()) {
      if (token?.kind !== 'event') continue;
      for (const owner of new Set(listeners.map((one) => one.owner))) {
        subscriptions.set(owner, [...(subscriptions.get(owner) ?? []), name]);
      }
    }
    return subscriptions;
  }

  /** Everybody whom events are kept for, running here or not. */
  consumers(): string[] {
    return [...new Set([...this.#points.values()].flatMap(({ consumers }) => consumers))];
  }

  /** For the dispatcher: what to call. */
  eventListeners(owner: string, name: string): EventListener<unknown>[] {
    const listeners = this.#points.get(name)?.listeners.filter((one) => one.owner === owner) ?? [];
    return listeners.map(({ call }) => call as unknown as EventListener<unknown>);
  }

  /** For the dispatcher: `task` runs after each commit that told something. */
  whenEmitted(task: () => void): Undo {
    this.#whenEmitted.add(task);
    return () => void this.#whenEmitted.delete(task);
  }

  #point(name: string): HookPoint {
    const known = this.#points.get(name);
    if (known) return known;
    const point = new HookPoint(name, this.#deps.clock);
    this.#points.set(name, point);
    return point;
  }

  #listen(
    token: { readonly name: string; readonly kind: HookToken['kind'] },
    registration: Parameters<HookPoint['add']>[0],
  ): Undo {
    const point = this.#point(token.name);
    point.token ??= token as HookToken;
    const undo = point.add(registration);
    if (point.contradicting.length > 0) {
      const facts = { hook: point.name, owners: point.contradicting };
      this.#deps.log.warn(facts, 'Listeners want to come before each other; priority decides');
    }
    return undo;
  }

  #shown<T>(value: T): T {
    return this.#deps.strict ? deepFreeze(value) : value;
  }

  /** One listener's answer; `undefined` when it had none to give and the hook goes on without it. */
  async #ask<T>(token: Guarded, listener: Listener, call: () => T | PromiseLike<T>): Promise<T | undefined> {
    if (!listener.breaker.admits()) {
      refuseIfClosed(token, listener);
      return undefined;
    }
    this.#runs += 1;
    const startedAt = this.#runs % TIMED_ONE_IN === 0 ? performance.now() : null;
    listener.cost.calls += 1;
    try {
      const answer = call();
      const settled = isThenable(answer) ? await this.#deadlines.watch(answer, this.#deadlineMs) : answer;
      const isFarTooSlow = startedAt !== null && this.#isFarTooSlow(token, listener, startedAt);
      if (!isFarTooSlow) listener.breaker.succeeded();
      return settled;
    } catch (error) {
      if (isRefusal(error)) {
        listener.breaker.succeeded();
        throw error;
      }
      this.#blame(token, listener, error);
      refuseIfClosed(token, listener, error);
      return undefined;
    }
  }

  get #deadlineMs(): number {
    return this.#deps.deadlineMs ?? DEADLINE_MS;
  }

  #isFarTooSlow(token: Guarded, listener: Listener, startedAt: number): boolean {
    const took = performance.now() - startedAt;
    const { cost } = listener;
    cost.timed += 1;
    cost.totalMs += took;
    cost.slowestMs = Math.max(cost.slowestMs, took);
    if (took <= token.budgetMs * FAULT_OVER_BUDGET) return false;
    this.#blame(token, listener, new DeadlineError(token.budgetMs));
    return true;
  }

  #blame({ name }: Guarded, { owner, breaker, cost }: Listener, error: unknown): void {
    cost.faults += 1;
    breaker.failed();
    this.#deps.log.warn({ owner, hook: name, error }, 'A listener failed');
    this.#deps.onFault?.({ owner, hook: name, error });
  }
}

/** A guard that is not there must not mean that everything is allowed. */
function assertComplete({ missing }: HookPoint, token: Guarded): void {
  const [owner] = missing;
  if (owner !== undefined && token.failure === 'closed') throw unavailable(token, owner);
}

function refuseIfClosed(token: Guarded, { owner }: Listener, error?: unknown): void {
  if (token.failure === 'closed') throw unavailable(token, owner, error);
}

const unavailable = ({ name }: Guarded, owner: string, cause?: unknown): VetoError =>
  new VetoError('hook.unavailable', { params: { hook: name, plugin: owner }, cause });

const isRefusal = (error: unknown): boolean =>
  error instanceof KnownError && !(error instanceof UnavailableError);

function vetoed({ code, params = {}, field }: Refusal): VetoError {
  const fields = field === undefined ? [] : [{ field, code, params }];
  return new VetoError(code, { params, fields });
}

const isThenable = <T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
