import type { Actor } from '../shared/actor.ts';
import type { SettingToken } from './setting.ts';
import * as site from './site-settings.ts';

/** How a setting is asked for on the settings page. */
export interface SettingField {
  // What a form carries is parsed by the token's own schema, so the page need not know the type.
  token: SettingToken<unknown>;
  kind: 'text' | 'number' | 'flag' | 'choice' | 'secret';
  /** An i18n key. */
  label: string;
  hint?: string;
  /** Labels are i18n keys; without one the value speaks for itself. */
  choices?: { value: string; label?: string }[];
  /** Throws where this value would close out the one who asks for it, or everybody. */
  assertMay?: (actor: Actor, value: unknown) => Promise<void>;
}

export interface SettingGroup {
  /** `site`, or a plugin's id. */
  id: string;
  /** An i18n key. */
  title: string;
  fields: readonly SettingField[];
}

type Undo = () => void;

/** What the settings page shows; plugins add a group of their own. */
export class SettingGroups {
  readonly #groups = new Map<string, SettingGroup>();

  add(group: SettingGroup): Undo {
    this.#groups.set(group.id, group);
    return () => {
      if (this.#groups.get(group.id) === group) this.#groups.delete(group.id);
    };
  }

  all(): SettingGroup[] {
    return [...this.#groups.values()];
  }

  find(id: string): SettingGroup | undefined {
    return this.#groups.get(id);
  }
}

const field = (
  token: SettingToken<unknown>,
  kind: SettingField['kind'],
  extra: Partial<SettingField> = {},
): SettingField => ({
  token,
  kind,
  label: `settings:${token.id}`,
  hint: `settings:${token.id}.hint`,
  ...extra,
});

export const siteGroups: readonly SettingGroup[] = [
  {
    id: 'site',
    title: 'settings:group.site',
    fields: [
      field(site.organisation, 'text'),
      field(site.siteOrigin, 'text'),
      field(site.siteLocale, 'choice', {
        choices: [
          { value: 'en', label: 'settings:language.en' },
          { value: 'fr', label: 'settings:language.fr' },
        ],
      }),
      field(site.siteTimeZone, 'choice', {
        choices: ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')].map(
          (value) => ({ value }),
        ),
      }),
    ],
  },
  {
    id: 'registration',
    title: 'settings:group.registration',
    fields: [field(site.registrationPaused, 'flag'), field(site.registrationContact, 'text')],
  },
];
