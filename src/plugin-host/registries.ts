import type { AuditService } from '../audit/index.ts';
import type { KeyStore } from '../crypto/key-store.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { RouteTable } from '../http/route-table.ts';
import type { Rights } from '../identity/index.ts';
import type { JobScheduler } from '../jobs/index.ts';
import type { Log } from '../log.ts';
import type { NotificationService } from '../notifications/index.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { SettingGroups, SettingsService } from '../settings/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AssetStore } from '../views/assets.ts';
import type { I18n } from '../views/i18n.ts';
import type { Menu } from '../views/menu.ts';
import type { Renderer } from '../views/renderer.ts';
import type { Slots } from '../views/slots.ts';
import type { CommandList } from './command-list.ts';
import type { OfferedServices } from './offered-services.ts';
import type {
  HostAudit,
  HostLimits,
  HostMail,
  HostMemberships,
  HostPasskeys,
  HostProviders,
  HostSessions,
  HostTickets,
  HostUsers,
  SiteFacts,
} from './host.ts';

/** Where contributions go. Each answers with the way back. */
export interface Registries {
  hooks: Pick<
    Hooks,
    | 'onFilter'
    | 'onVeto'
    | 'onEvent'
    | 'onContribution'
    | 'charge'
    | 'costs'
    | 'latenciesOf'
    | 'gather'
    | 'declare'
    | 'filter'
    | 'veto'
    | 'emit'
    | 'expectListener'
    | 'catalogue'
    | 'whenRested'
  >;
  routes: Pick<RouteTable, 'add' | 'all'>;
  rights: Pick<Rights, 'add' | 'has'>;
  menu: Pick<Menu, 'add'>;
  i18n: Pick<I18n, 'addNamespace' | 'translate'>;
  renderer: Pick<Renderer, 'add' | 'fingerprint'>;
  slots: Pick<Slots, 'add'>;
  assets: Pick<AssetStore, 'add'>;
  jobs: Pick<JobScheduler, 'every'>;
  settingGroups: SettingGroups;
  commands: CommandList;
  offered: OfferedServices;
}

/** What plugins may use of core, as far as their manifest asks for it. */
export interface Services {
  users: HostUsers;
  passkeys: HostPasskeys;
  providers: HostProviders;
  memberships: HostMemberships;
  mail: HostMail;
  tickets: (plugin: string) => HostTickets;
  audit: HostAudit;
  sessions: HostSessions;
  limits: HostLimits;
  notifications: Pick<NotificationService, 'addKind' | 'notify'>;
  outbound: Pick<Outbound, 'send' | 'assertCallable'>;
  site(): Promise<SiteFacts>;
}

/** What the host itself stands on. */
export interface Ground {
  /** What this process is called. */
  node: string;
  db: Database;
  clock: Clock;
  log: Log;
  keys: KeyStore;
  settings: SettingsService;
  audit: Pick<AuditService, 'record'>;
}
