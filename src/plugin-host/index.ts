export { BootMarkers } from './boot-markers.ts';
export { CommandList } from './command-list.ts';
export { manifestJsonSchema } from './manifest.ts';
export { resolvePluginApi } from './plugin-loader.ts';
export { PluginHost, PLUGINS_VERSION, type PluginFacts, type PluginHostDeps } from './plugin-host.ts';
export type { Ground, Registries, Services } from './registries.ts';
