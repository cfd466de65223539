export {
  pluginDisabled,
  pluginEnabled,
  pluginPurged,
  pluginStaged,
  pluginUninstalled,
  pluginVersionUsed,
} from './plugin-hooks.ts';
export { BootMarkers } from './boot-markers.ts';
export { Watchdog } from './watchdog.ts';
export { CommandList } from './command-list.ts';
export { OfferedServices } from './offered-services.ts';
export { demoSeeding, type DemoScene } from './demo-seeding.ts';
export { PluginNews, pluginNoticeKinds } from './plugin-news.ts';
export { PluginInstaller, type InstallPlan, type Upload } from './plugin-installer.ts';
export { PublisherKeys } from './publisher-keys.ts';
export { reportFor, type FitLine } from './upgrade-report.ts';
export { dataChoices, PluginUninstaller, type DataChoice } from './plugin-uninstaller.ts';
export { migrationsIn } from './activation.ts';
export { compareVersions, isInRange } from './versions.ts';
export { keepProcess } from './process-guard.ts';
export { preflightIn, type Preflight, type RunPreflight } from './preflight.ts';
export type { Reached } from './crash-points.ts';
export type { Objection } from './objection.ts';
export { PluginHost, type PluginHostDeps } from './plugin-host.ts';
export type { PluginFacts } from './plugin-facts.ts';
export { PLUGINS_VERSION } from './plugin-wishes.ts';
export type { Ground, Registries, Services } from './registries.ts';
export { pluginRights } from './plugin-rights.ts';
export { bisectSteps, PluginBisect } from './plugin-bisect.ts';
export { packPlugin } from './pack-plugin.ts';
export { pluginFiles } from './plugin-files.ts';
export { readPackage, type PackageFacts } from './read-package.ts';
export { packageRoutes } from './package-routes.ts';
export { tabsAt } from './hook-presenter.ts';
export { presentTouches } from './plugin-presenter.ts';
export { pluginRoutes } from './plugin-routes.ts';
export { hookRoutes } from './hook-routes.ts';
export { keepTrace } from './keep-trace.ts';
export { pluginMenu } from './plugin-menu.ts';
export type { CommandContext, CommandDefinition } from './host.ts';
export { prefixOf } from './own-tables.ts';
export { settingTokenOf } from './plugin-settings.ts';
export { writtenTables } from './written-tables.ts';
export { loadAfreshNextTime } from './plugin-loader.ts';
export { ManifestError, parseManifest, PLUGIN_ID, readManifest, type Manifest } from './manifest.ts';
