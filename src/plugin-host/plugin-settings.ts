import { z } from 'zod';
import { defineSetting, type SettingField, type SettingGroup, type SettingToken } from '../settings/index.ts';
import type { Manifest, ManifestSetting } from './manifest.ts';

/** What `plugin.json` says of a setting, as the settings service and its page know it. */
export function settingGroupOf(manifest: Manifest): SettingGroup {
  return {
    id: manifest.id,
    title: `${manifest.id}:settings.title`,
    fields: manifest.settings.map((setting) => fieldOf(manifest, setting)),
  };
}

export const settingTokenOf = ({ id }: Manifest, setting: ManifestSetting): SettingToken<unknown> =>
  defineSetting<unknown>({
    id: `${id}.${setting.name}`,
    schema: schemaOf(setting),
    default: setting.default,
    secret: setting.type === 'string' && setting.secret,
  });

function fieldOf(manifest: Manifest, setting: ManifestSetting): SettingField {
  const text = (key: string): string => `${manifest.id}:${key}`;
  const field: SettingField = {
    token: settingTokenOf(manifest, setting),
    kind: kindOf(setting),
    label: text(setting.label ?? `settings.${setting.name}`),
    ...(setting.hint ? { hint: text(setting.hint) } : {}),
  };
  if (setting.type !== 'choice') return field;
  const choices = setting.choices.map((value) => ({
    value,
    label: text(`settings.${setting.name}.${value}`),
  }));
  return { ...field, choices };
}

function kindOf(setting: ManifestSetting): SettingField['kind'] {
  switch (setting.type) {
    case 'string':
      return setting.secret ? 'secret' : 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'flag';
    case 'choice':
      return 'choice';
  }
}

function schemaOf(setting: ManifestSetting): z.ZodType {
  switch (setting.type) {
    case 'string':
      return z.string().max(setting.maxLength);
    case 'number':
      return z
        .number()
        .min(setting.min ?? -Infinity)
        .max(setting.max ?? Infinity);
    case 'boolean':
      return z.boolean();
    case 'choice':
      return z.enum(setting.choices);
  }
}
