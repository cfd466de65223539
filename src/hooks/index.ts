export { Deadlines, DeadlineError } from './deadline.ts';
export type { CatalogueEntry, ListenerFacts } from './hook-catalogue.ts';
export { Hooks, type HookFault } from './hooks.ts';
export * from './tokens.ts';
