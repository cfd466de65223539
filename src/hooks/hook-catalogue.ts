import type { BreakerState } from './breaker.ts';
import type { HookPoint, Listener } from './hook-point.ts';
import type { FailureMode, HookToken } from './tokens.ts';

/** What administrators and authors are shown of one hook. */
export interface CatalogueEntry {
  name: string;
  kind: HookToken['kind'] | null;
  summary: string;
  since: string;
  /** Null before anybody has declared the hook. Events are open: the operation is over when they are told. */
  failure: FailureMode | null;
  budgetMs: number | null;
  /** In the order in which they are asked. */
  listeners: ListenerFacts[];
  /** Enabled, but not running here. */
  missing: readonly string[];
  /** Their wishes for before and after contradict each other. */
  contradicting: readonly string[];
}

export interface ListenerFacts {
  owner: string;
  breaker: BreakerState;
  calls: number;
  faults: number;
  /** Null before the first sample. */
  averageMs: number | null;
  slowestMs: number;
  /** Since this process started: how often it was asked, times how long it takes. */
  estimatedMs: number;
}

export function catalogueEntry({
  name,
  token,
  listeners,
  missing,
  contradicting,
  runs,
}: HookPoint): CatalogueEntry {
  return {
    name,
    kind: token?.kind ?? null,
    summary: token?.summary ?? '',
    since: token?.since ?? '',
    failure: token?.failure ?? null,
    budgetMs: token?.budgetMs ?? null,
    listeners: listeners.map((listener) => factsOf(listener, runs)),
    missing,
    contradicting,
  };
}

function factsOf({ owner, breaker, cost }: Listener, runs: number): ListenerFacts {
  const calls = Math.max(runs - cost.missed, 0);
  const averageMs = cost.timed === 0 ? null : cost.totalMs / cost.timed;
  return {
    owner,
    breaker: breaker.state,
    calls,
    faults: cost.faults,
    averageMs,
    slowestMs: cost.slowestMs,
    estimatedMs: calls * (averageMs ?? 0),
  };
}
