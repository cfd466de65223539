export type { Charge, ChargedKind, CostLine } from './cost-account.ts';
export { Deadlines, DeadlineError } from './deadline.ts';
export type { CatalogueEntry, ListenerFacts } from './hook-catalogue.ts';
export { Hooks, type HookFault } from './hooks.ts';
export type { Latencies } from './latencies.ts';
export type { HookStep, Observer, Outcome } from './observer.ts';
export * from './tokens.ts';
export { Trace, type TracedChange, type TracedStep } from './trace.ts';
