import { AsyncLocalStorage } from 'node:async_hooks';
import type { Tx } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../shared/clock.ts';
import { CostAccount, linesOf, type Charge, type CostLine } from './cost-account.ts';
import { Deadlines, sweepsIn } from './deadline.ts';
import { insertEvent } from './event-repository.ts';
import type { Latencies } from './latencies.ts';
import { GuardedRun, isThenable, unavailable, type Guards, type Way } from './guarded-run.ts';
import { HookPoint, type Call, type Listener } from './hook-point.ts';
import type { CatalogueEntry } from './hook-catalogue.ts';
import { catalogueEntry } from './hook-catalogue.ts';
import { bothOf, type Observer } from './observer.ts';
import type {
  Contributed,
  ContributionListener,
  ContributionToken,
  EventListener,
  EventToken,
  FilterListener,
  FilterToken,
  HookToken,
  Order,
  Undo,
  VetoListener,
  VetoToken,
} from './tokens.ts';
import { asking, filtering, gathering, vetoed } from './ways.ts';

/** Whose listener went wrong, where, and how: what the plugin host keeps account of. */
export interface HookFault {
  owner: string;
  hook: string;
  error: unknown;
}

export interface Rest {
  owner: string;
  hook: string;
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
  /** Whether people have to wait for the database: meanwhile listeners get more time. */
  isCrowded?: () => boolean;
}

const DEADLINE_MS = 250;
/** For everybody who passes: nothing is made for a veto that nobody raises. */
const PASSED = Promise.resolve();

/**
 * Where core and plugins ask others (filters, vetoes) and tell them (events). Filters and vetoes run before a transaction,
 * one listener after the other, each guarded: one that throws or hangs is named and passed over, or refuses the
 * operation where the hook says so.
 */
export class Hooks {
  readonly #deps: Deps;
  readonly #points = new Map<string, HookPoint>();
  readonly #guards: Guards;
  readonly #whenEmitted = new Set<() => void>();
  readonly #whenRested = new Set<(rest: Rest) => void>();
  readonly #observers = new AsyncLocalStorage<Observer>();
  readonly #account = new CostAccount();
  /** How many are looking on; while nobody does, no run looks for them. */
  #observing = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { deadlineMs = DEADLINE_MS } = deps;
    this.#guards = {
      deadlines: new Deadlines(deps.isCrowded),
      deadlineMs,
      deadlineSweeps: sweepsIn(deadlineMs),
      isStrict: deps.strict ?? false,
      blame: (token, listener, error) => {
        this.#blame(token, listener, error);
      },
    };
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

  /** `owner` adds its thing to what `gather` finds. */
  onContribution<T, C>(
    owner: string,
    token: ContributionToken<T, C>,
    listener: ContributionListener<T, C>,
    order: Order = {},
  ): Undo {
    return this.#listen(token, { owner, order, call: listener });
  }

  /**
   * Runs `value` through every listener; an `undefined` answer leaves it as it is. A listener refuses by throwing
   * a `VetoError` or an `InvalidInputError`. Where no listener needs time, the answer comes at once and costs no promise;
   * a refusal is always a rejection.
   */
  filter<V, C>(token: FilterToken<V, C>, value: V, context: C): V | Promise<V> {
    const point = this.#points.get(token.name);
    if (point === undefined) return value;
    if (point.calls.length === 0) return isComplete(point, token) ? value : refuse(point, token);
    point.runs += 1;
    if (this.#mustLookClosely(point, token)) return this.#run<V>(point, token, filtering, { value, context });
    return this.#filterQuickly(point, token, value, context);
  }

  /** As `filter`, with what each listener made of the value: for things of which one must be able to say who changed them. */
  async filterWatched<V, C>(token: FilterToken<V, C>, value: V, context: C, observer: Observer): Promise<V> {
    const point = this.#points.get(token.name);
    if (point === undefined || point.calls.length === 0) return this.filter(token, value, context);
    point.runs += 1;
    return this.#run<V>(point, token, filtering, { value, context, observer });
  }

  /** Rejects with a `VetoError` that has the first reason a listener gives. */
  veto<C>(token: VetoToken<C>, context: C): Promise<void> {
    const point = this.#points.get(token.name);
    if (point === undefined) return PASSED;
    if (point.calls.length === 0) return isComplete(point, token) ? PASSED : refuse(point, token);
    point.runs += 1;
    return this.#settled(
      this.#mustLookClosely(point, token)
        ? this.#run<undefined>(point, token, asking, { value: undefined, context })
        : this.#vetoQuickly(point, token, context),
    );
  }

  /** What plugins add to this place, in their order. One that fails adds nothing. */
  async gather<T, C>(token: ContributionToken<T, C>, context: C): Promise<readonly Contributed<T>[]> {
    const point = this.#points.get(token.name);
    if (point === undefined || point.calls.length === 0) return NOTHING;
    point.runs += 1;
    return this.#run<readonly Contributed<T>[]>(point, token, gathering, { value: NOTHING, context });
  }

  /** For whatever else runs of a plugin's: slots, routes, jobs, events. */
  charge(charge: Charge): void {
    this.#account.charge(charge);
    if (this.#observing === 0) return;
    const { owner, kind, name: hook, tookMs, isFault } = charge;
    const outcome = isFault ? 'failed' : 'answered';
    this.#observers.getStore()?.saw({ hook, kind, owner, outcome, tookMs, before: null, after: null });
  }

  /** Who has cost what since this process started, dearest first. */
  costs(): CostLine[] {
    return [...this.catalogue().flatMap(linesOf), ...this.#account.lines()].sort(
      (one, other) => other.totalMs - one.totalMs,
    );
  }

  /** How long each thing of this owner's took, as it stands now; listeners are sampled. */
  latenciesOf(owner: string): ReadonlyMap<string, Latencies> {
    const ofListeners = [...this.#points.values()].flatMap(({ name, token, listeners }) =>
      listeners
        .filter((listener) => listener.owner === owner && token !== null && token.kind !== 'event')
        .map(({ cost }) => [`${token?.kind ?? ''} ${name}`, cost.latencies] as const),
    );
    return new Map(
      [...ofListeners, ...this.#account.latenciesOf(owner)].map(([key, now]) => [key, now.since()]),
    );
  }

  /** Has `observer` look on at every listener that is asked while `work` runs, and in nothing else. */
  async observe<R>(observer: Observer, work: () => Promise<R>): Promise<R> {
    this.#observing += 1;
    try {
      return await this.#observers.run(observer, work);
    } finally {
      this.#observing -= 1;
    }
  }

  /** Whether an event would be kept for anybody: for those that are dear to tell. */
  isHeard(token: HookToken): boolean {
    return (this.#points.get(token.name)?.consumers.length ?? 0) > 0;
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
    const forgets = token.forgets?.(payload) ?? [];
    if (consumers.length === 0 && forgets.length === 0) return;
    const at = this.#deps.clock.now();
    await insertEvent(tx, { name: token.name, aggregate, payload, at, forgets }, consumers);
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
  declare(tokens: readonly HookToken[]): Undo {
    for (const token of tokens) this.#point(token.name).token ??= token;
    return () => {
      for (const { name } of tokens) if (this.#points.get(name)?.isIdle) this.#points.delete(name);
    };
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

  /** For whoever keeps account of plugins: `task` hears of each listener that failed so often that it is not asked for a while. */
  whenRested(task: (rest: Rest) => void): Undo {
    this.#whenRested.add(task);
    return () => void this.#whenRested.delete(task);
  }

  #point(name: string): HookPoint {
    const known = this.#points.get(name);
    if (known) return known;
    const point = new HookPoint(name, this.#deps.clock, (owner) => {
      for (const task of this.#whenRested) task({ owner, hook: name });
    });
    this.#points.set(name, point);
    return point;
  }

  #listen(token: HookToken, registration: Parameters<HookPoint['add']>[0]): Undo {
    const point = this.#point(token.name);
    point.token ??= token;
    const undo = point.add(registration);
    if (point.contradicting.length > 0) {
      const facts = { hook: point.name, owners: point.contradicting };
      this.#deps.log.warn(facts, 'Listeners want to come before each other; priority decides');
    }
    return undo;
  }

  /** Nothing is allocated here, and nobody's clock is read: that is for the runs that look closely. */
  #filterQuickly<V, C>(point: HookPoint, token: FilterToken<V, C>, value: V, context: C): V | Promise<V> {
    const { calls } = point;
    let current: unknown = value;
    let at = 0;
    try {
      for (; at < calls.length; at += 1) {
        const answer = (calls[at] as Call)(current, context);
        if (answer === undefined) continue;
        if (isThenable(answer)) {
          const run = this.#runFrom(point, token, filtering, { value: current, context, at });
          return run.startWaiting(answer) as Promise<V>;
        }
        current = answer;
      }
      return current as V;
    } catch (error) {
      return this.#runFrom(point, token, filtering, { value: current, context, at }).startAfter(error) as V;
    }
  }

  #vetoQuickly<C>(point: HookPoint, token: VetoToken<C>, context: C): unknown {
    const { calls } = point;
    let at = 0;
    try {
      for (; at < calls.length; at += 1) {
        const answer = (calls[at] as Call)(context);
        if (!answer) continue;
        if (!isThenable(answer)) throw vetoed(answer);
        return this.#runFrom(point, token, asking, { value: undefined, context, at }).startWaiting(answer);
      }
      return undefined;
    } catch (error) {
      return this.#runFrom(point, token, asking, { value: undefined, context, at }).startAfter(error);
    }
  }

  #mustLookClosely(point: HookPoint, token: HookToken): boolean {
    return (
      point.runs >= point.timedAt ||
      this.#observing > 0 ||
      this.#guards.isStrict ||
      (point.missing.length > 0 && token.failure === 'closed')
    );
  }

  #run<R>(point: HookPoint, token: HookToken, way: Way, matter: Matter): R | Promise<R> {
    if (!isComplete(point, token)) return refuse(point, token);
    return this.#runFrom(point, token, way, matter).start() as R | Promise<R>;
  }

  #runFrom(point: HookPoint, token: HookToken, way: Way, matter: Matter): GuardedRun {
    const looksOn = this.#observing > 0 ? this.#observers.getStore() : undefined;
    const observer =
      matter.observer && looksOn ? bothOf(matter.observer, looksOn) : (matter.observer ?? looksOn);
    return new GuardedRun({ ...matter, point, token, way, guards: this.#guards, observer });
  }

  async #settledLater(answer: PromiseLike<unknown>): Promise<void> {
    await answer;
  }

  #settled(answer: unknown): Promise<void> {
    return isThenable(answer) ? this.#settledLater(answer) : PASSED;
  }

  #blame({ name }: HookToken, { owner, breaker, cost }: Listener, error: unknown): void {
    cost.faults += 1;
    breaker.failed();
    this.#deps.log.warn({ owner, hook: name, error }, 'A listener failed');
    this.#deps.onFault?.({ owner, hook: name, error });
  }
}

/** What a run works on. */
interface Matter {
  value: unknown;
  context: unknown;
  /** Whose turn it is. */
  at?: number;
  observer?: Observer;
}

const NOTHING: readonly never[] = [];

/** A guard that is not there must not mean that everything is allowed. */
const isComplete = ({ missing }: HookPoint, { failure }: HookToken): boolean =>
  failure === 'open' || missing.length === 0;

const refuse = ({ missing: [owner = ''] }: HookPoint, token: HookToken): Promise<never> =>
  Promise.reject(unavailable(token, owner));
