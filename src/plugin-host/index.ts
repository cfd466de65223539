export { BootMarkers } from './boot-markers.ts';
export { CommandList } from './command-list.ts';
export { demoSeeding, type DemoScene } from './demo-seeding.ts';
export { PluginHost, PLUGINS_VERSION, type PluginFacts, type PluginHostDeps } from './plugin-host.ts';
export type { Ground, Registries, Services } from './registries.ts';
export { pluginRights } from './plugin-rights.ts';
export { pluginRoutes } from './plugin-routes.ts';
export { pluginMenu } from './plugin-menu.ts';
export type { CommandContext, CommandDefinition } from './host.ts';
