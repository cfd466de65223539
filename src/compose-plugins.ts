import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version, folders, type Ground } from './compose-ground.ts';
import type { Domains } from './compose-domains.ts';
import type { RouteTable } from './http/route-table.ts';
import {
  CommandList,
  OfferedServices,
  PluginHost,
  PluginInstaller,
  PluginNews,
  PluginUninstaller,
  PublisherKeys,
  pluginNoticeKinds,
  pluginRights,
  preflightIn,
  type BootMarkers,
  type Reached,
  type RunPreflight,
  type Watchdog,
} from './plugin-host/index.ts';
import { identitySettings, ROOT_ENTITY_ID } from './identity/index.ts';
import { SettingGroups, siteGroups } from './settings/index.ts';
import { ticketSettings, TicketsForPlugins } from './tickets/index.ts';

interface Surroundings {
  routes: RouteTable;
  markers: BootMarkers | null;
  node: string;
  watchdog: Watchdog | null;
  isOnlooker: boolean;
  reached: Reached;
  trial: (preflight: RunPreflight) => RunPreflight;
  drainMs?: number;
}

/** Floor 4: the host, and the places where plugins put what they bring. */
export function composePlugins(
  ground: Ground,
  domains: Domains,
  { routes, markers, node, watchdog, isOnlooker, reached, trial, drainMs }: Surroundings,
): {
  plugins: PluginHost;
  installer: PluginInstaller;
  uninstaller: PluginUninstaller;
  publishers: PublisherKeys;
  commands: CommandList;
  settingGroups: SettingGroups;
} {
  const { config, hooks, menu, i18n, renderer, slots, assets, versions, audit, outbound } = ground;
  const { rights, jobs, users, passkeys, memberships, mail, sessions, limits, notifications, site, tickets } =
    domains;
  const { identityLinks, providersForPlugins } = domains;
  for (const right of pluginRights) rights.add(right);
  const commands = new CommandList();
  const settingGroups = new SettingGroups();
  const identityGroup = identitySettings((actor, value) => identityLinks.assertMayCloseLocal(actor, value));
  for (const group of [...siteGroups, identityGroup, ticketSettings]) settingGroups.add(group);
  for (const kind of pluginNoticeKinds) notifications.addKind(kind);
  const caretakers = (): Promise<{ id: string }[]> => users.withRight('plugin.manage', ROOT_ENTITY_ID);
  const plugins = new PluginHost({
    ground,
    registries: {
      hooks,
      routes,
      rights,
      menu,
      i18n,
      renderer,
      slots,
      assets,
      jobs: jobs,
      settingGroups,
      commands,
      offered: new OfferedServices(),
    },
    services: {
      users,
      passkeys,
      providers: providersForPlugins,
      memberships,
      mail,
      tickets: (plugin) => new TicketsForPlugins(tickets, { db: ground.db, plugin }),
      audit,
      sessions,
      limits,
      notifications,
      outbound,
      site,
    },
    news: new PluginNews({ ...ground, notifications, caretakers }),
    versions,
    places: { bundled: folders.plugins, added: config.pluginDir },
    latchkeyVersion: version,
    node,
    watchdog,
    isOnlooker,
    safeMode: config.safeMode,
    markers,
    reached,
    ...(drainMs === undefined ? {} : { drainMs }),
  });
  const added = config.pluginDir;
  const script = fileURLToPath(new URL('preflight.ts', import.meta.url));
  const preflight = trial(preflightIn({ script, added }));
  const publishers = new PublisherKeys({ ground });
  const installer = new PluginInstaller({ ground, plugins, added, preflight, publishers, reached });
  const exports = join(config.dataDir, 'exports');
  const uninstaller = new PluginUninstaller({ ground, plugins, added, exports, reached });
  return { plugins, installer, uninstaller, publishers, commands, settingGroups };
}
