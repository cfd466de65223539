import { sentenceOf } from './outcome.ts';
import type { Ground, Registries } from './registries.ts';

export type NameFault = (plugin: string, where: string, error: unknown) => void;

/** Every fault of a plugin stands in the log with its name. */
export const naming =
  (log: Ground['log'], i18n: Registries['i18n']): NameFault =>
  (plugin, where, error) => {
    log.error({ plugin, where, err: error, why: sentenceOf(error, i18n) }, 'A plugin failed');
  };
