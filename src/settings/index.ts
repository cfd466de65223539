export { defineSetting, type SettingToken } from './setting.ts';
export { SettingGroups, siteGroups, type SettingField, type SettingGroup } from './setting-fields.ts';
export { SETTINGS_VERSION, SettingsService } from './settings-service.ts';
export * from './site-settings.ts';
export * from './setting-hooks.ts';
export { settingsRights } from './settings-rights.ts';
export { settingsRoutes } from './settings-routes.ts';
export { settingsMenu } from './settings-menu.ts';
