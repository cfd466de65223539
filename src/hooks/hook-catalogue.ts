import type { BreakerState } from './breaker.ts';
import type { HookPoint, Listener } from './hook-point.ts';
import type { FailureMode, HookToken } from './tokens.ts';

/** What administrators and authors are shown of one hook. */
export interface CatalogueEntry {
  name: string;
  kind: HookToken['kind'] | null;
  summary: string;
  since: string;
  /** Null for events, which are retried instead. */
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
}

export function catalogueEntry({
  name,
  token,
  listeners,
  missing,
  contradicting,
}: HookPoint): CatalogueEntry {
  const guarded = token !== null && token.kind !== 'event' ? token : null;
  return {
    name,
    kind: token?.kind ?? null,
    summary: token?.summary ?? '',
    since: token?.since ?? '',
    failure: guarded?.failure ?? null,
    budgetMs: guarded?.budgetMs ?? null,
    listeners: listeners.map(factsOf),
    missing,
    contradicting,
  };
}

const factsOf = ({ owner, breaker, cost }: Listener): ListenerFacts => ({
  owner,
  breaker: breaker.state,
  calls: cost.calls,
  faults: cost.faults,
  averageMs: cost.timed === 0 ? null : cost.totalMs / cost.timed,
  slowestMs: cost.slowestMs,
});
