export { Deadlines, DeadlineError } from './deadline.ts';
export type { CatalogueEntry, ListenerFacts } from './hook-catalogue.ts';
export { Hooks, type HookFault } from './hooks.ts';
export type { HookStep, Observer, Outcome } from './observer.ts';
export * from './tokens.ts';
