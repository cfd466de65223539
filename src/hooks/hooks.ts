import type { Tx } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../shared/clock.ts';
import { VetoError } from '../shared/errors.ts';
import { Deadlines } from './deadline.ts';
import { insertEvent } from './event-repository.ts';
import { deepFreeze } from './freeze.ts';
import { GuardedRun, unavailable, type GuardedToken, type Guards } from './guarded-run.ts';
import { HookPoint, type Listener } from './hook-point.ts';
import type { CatalogueEntry } from './hook-catalogue.ts';
import { catalogueEntry } from './hook-catalogue.ts';
import type {
  EventListener,
  EventToken,
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

const DEADLINE_MS = 250;
const TIMED_ONE_IN = 64;

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
  #runs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#guards = {
      deadlines: new Deadlines(),
      deadlineMs: deps.deadlineMs ?? DEADLINE_MS,
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

  /**
   * Runs `value` through every listener; an `undefined` answer leaves it as it is. A listener refuses by throwing
   * a `VetoError` or an `InvalidInputError`.
   */
  async filter<V, C>(token: FilterToken<V, C>, value: V, context: C): Promise<V> {
    const point = this.#points.get(token.name);
    if (!point) return value;
    assertComplete(point, token);
    if (point.listeners.length === 0) return value;
    let current = value;
    return this.#run(point, token, {
      ask: ({ call }) =>
        (call as unknown as FilterListener<V, C>)(this.#shown(current), this.#shown(context)),
      take: (answer) => {
        if (answer !== undefined) current = answer as V;
      },
      result: () => current,
    });
  }

  /** Throws a `VetoError` with the first reason that a listener gives. */
  async veto<C>(token: VetoToken<C>, context: C): Promise<void> {
    const point = this.#points.get(token.name);
    if (!point) return;
    assertComplete(point, token);
    await this.#run(point, token, {
      ask: ({ call }) => (call as unknown as VetoListener<C>)(this.#shown(context)),
      take: (refusal) => {
        if (refusal) throw vetoed(refusal as Refusal);
      },
      result: () => undefined,
    });
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

  #run<R>(
    { listeners }: HookPoint,
    token: GuardedToken,
    plan: Pick<ConstructorParameters<typeof GuardedRun<R>>[0], 'ask' | 'take' | 'result'>,
  ): Promise<R> {
    this.#runs += 1;
    const isTimed = this.#runs % TIMED_ONE_IN === 0;
    return new GuardedRun({ token, listeners, guards: this.#guards, isTimed, ...plan }).start();
  }

  #blame({ name }: GuardedToken, { owner, breaker, cost }: Listener, error: unknown): void {
    cost.faults += 1;
    breaker.failed();
    this.#deps.log.warn({ owner, hook: name, error }, 'A listener failed');
    this.#deps.onFault?.({ owner, hook: name, error });
  }
}

/** A guard that is not there must not mean that everything is allowed. */
function assertComplete({ missing }: HookPoint, token: GuardedToken): void {
  const [owner] = missing;
  if (owner !== undefined && token.failure === 'closed') throw unavailable(token, owner);
}

function vetoed({ code, params = {}, field }: Refusal): VetoError {
  const fields = field === undefined ? [] : [{ field, code, params }];
  return new VetoError(code, { params, fields });
}
