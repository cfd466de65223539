import type { Entity, EntityTree } from './entity.ts';

export interface Option {
  value: string;
  label: string;
}

/** Every zone this machine knows, UTC first. */
export const timeZoneOptions = (): Option[] =>
  ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')].map((zone) => ({
    value: zone,
    label: zone.replaceAll('_', ' '),
  }));

/** Most houses stand where their server does. */
export const serverTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** By their full names, parents first. */
export const entityOptions = (tree: EntityTree, entities: readonly Entity[] = tree.all()): Option[] =>
  entities.map(({ id }) => ({ value: id, label: tree.fullName(id) }));

/** In their own words. */
export const localeOptions: readonly Option[] = [
  { value: 'en', label: 'English' },
  { value: 'fr', label: 'Français' },
];
