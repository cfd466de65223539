export { defineSetting, type SettingToken } from './setting.ts';
export { SettingGroups, siteGroups, type SettingField, type SettingGroup } from './setting-fields.ts';
export { SETTINGS_VERSION, SettingsService } from './settings-service.ts';
export * from './site-settings.ts';
