import type { Domains } from './compose-domains.ts';
import type { Ground } from './compose-ground.ts';
import type { Route } from './http/route.ts';
import { identityRoutes } from './identity/index.ts';
import { mailRoutes } from './mail/index.ts';
import { notificationApi, notificationRoutes } from './notifications/index.ts';
import type { PluginHost } from './plugin-host/index.ts';
import type { SettingGroups } from './settings/index.ts';

interface Surroundings {
  plugins: PluginHost;
  settingGroups: SettingGroups;
}

/** Every page and API call of core. */
export function coreRoutes(ground: Ground, domains: Domains, _surroundings: Surroundings): Route[] {
  const { config, i18n } = ground;
  const { mail, notifications } = domains;
  const translate = (key: string, params: Record<string, string | number>, locale: string): string =>
    i18n.translate(locale, key, params);
  return [
    ...identityRoutes({ ...ground, ...domains, originIsConfigured: config.baseUrl !== undefined }),
    ...mailRoutes(mail),
    ...notificationRoutes(notifications),
    ...notificationApi(notifications, translate),
  ];
}
