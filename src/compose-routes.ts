import { apiMenu } from './api/api-routes.ts';
import type { Domains } from './compose-domains.ts';
import { version, type Ground } from './compose-ground.ts';
import { welcomeSteps } from './compose-welcome.ts';
import { releaseAfterRestore } from './compose-restore.ts';
import type { Route } from './http/route.ts';
import type { RouteTable } from './http/route-table.ts';
import { identityApi, identityMenu, identityRoutes } from './identity/index.ts';
import { backgroundRoutes, BackgroundService, jobsMenu } from './jobs/index.ts';
import { mailMenu, mailRoutes } from './mail/index.ts';
import { doctorRoutes, networkMenu, networkRoutes, trustRoutes } from './network/index.ts';
import { notificationApi, notificationMenu, notificationRoutes } from './notifications/index.ts';
import { hookRoutes, pluginMenu, pluginRoutes, type PluginHost } from './plugin-host/index.ts';
import { settingsMenu, settingsRoutes, type SettingGroups } from './settings/index.ts';
import {
  attachmentRoutes,
  categoryRoutes,
  dashboardRoutes,
  ticketApi,
  ticketMenu,
  ticketRoutes,
  trailRoutes,
} from './tickets/index.ts';

interface Surroundings {
  plugins: PluginHost;
  settingGroups: SettingGroups;
  routes: RouteTable;
}

/** For its page and for the command line. */
export const backgroundOf = ({ ground, domains }: { ground: Ground; domains: Domains }): BackgroundService =>
  new BackgroundService({
    ...ground,
    ...domains,
    release: (actor) => releaseAfterRestore({ ground }, actor),
  });

/** Every page and API call of core. */
export function coreRoutes(
  ground: Ground,
  domains: Domains,
  { plugins, settingGroups, routes }: Surroundings,
): Route[] {
  const { i18n, config, settings, clock } = ground;
  const { mail, notifications, tickets } = domains;
  const translate = (key: string, params: Record<string, string | number>, locale: string): string =>
    i18n.translate(locale, key, params);
  return [
    ...backgroundRoutes(backgroundOf({ ground, domains })),
    ...mailRoutes(mail),
    ...identityRoutes({
      ...ground,
      ...domains,
      originIsConfigured: config.baseUrl !== undefined,
      scopes: () => scopesOf(routes),
      welcomeSteps: welcomeSteps(ground, domains),
    }),
    ...identityApi({ ...ground, ...domains }),
    ...notificationRoutes(notifications),
    ...notificationApi(notifications, translate),
    ...dashboardRoutes(tickets, translate),
    ...ticketRoutes(tickets, translate),
    ...trailRoutes(tickets),
    ...attachmentRoutes(tickets.attachments),
    ...categoryRoutes(tickets),
    ...ticketApi(tickets),
    ...settingsRoutes({
      settings,
      groups: settingGroups,
      translate: (key, locale) => i18n.translate(locale, key),
    }),
    ...networkRoutes({
      network: domains.network,
      trust: domains.trust,
      entitlements: domains.entitlements,
      clock,
      isHub: () => routes.all().some(({ route }) => route.path === HUB_MARK),
    }),
    ...doctorRoutes({ doctor: domains.networkDoctor, log: ground.log, version }),
    ...trustRoutes({ trust: domains.trust, clock }),
    ...pluginRoutes({ plugins, clock }),
    ...hookRoutes({ ...ground, memory: plugins.memory }),
  ];
}

/** A house that answers here is a hub. */
const HUB_MARK = '/api/registration/info';

/** Where one can go in core; plugins add theirs. */
export function addCoreMenu({ menu }: Ground): void {
  const entries = [
    ...identityMenu,
    ...ticketMenu,
    ...notificationMenu,
    ...jobsMenu,
    ...mailMenu,
    ...settingsMenu,
    ...networkMenu,
    ...pluginMenu,
    ...apiMenu,
  ];
  for (const entry of entries) menu.add(entry);
}

/** What tokens can be made for, plugins' calls included. */
const scopesOf = (routes: RouteTable): string[] => {
  const named = routes.all().flatMap(({ route }) => route.api?.scope ?? []);
  return [...new Set([...named, '*'])].sort(
    (one, other) => Number(one === '*') - Number(other === '*') || one.localeCompare(other),
  );
};
