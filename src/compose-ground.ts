import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageFile from '../package.json' with { type: 'json' };
import { AuditService } from './audit/index.ts';
import type { Config } from './config.ts';
import { auditEvents, coreHooks } from './core-hooks.ts';
import { KEYS_VERSION, KeyStore } from './crypto/key-store.ts';
import { redact } from './crypto/tokens.ts';
import { Database } from './db/database.ts';
import { loadMigrations } from './db/migration-files.ts';
import { CORE, migrate } from './db/migrations.ts';
import { Versions } from './db/versions.ts';
import { Hooks } from './hooks/index.ts';
import { createLog, type Log } from './log.ts';
import { Outbound } from './outbound/outbound.ts';
import { ProxyRule } from './outbound/proxy.ts';
import { SETTINGS_VERSION, SettingsService } from './settings/index.ts';
import { systemClock, type Clock } from './shared/clock.ts';
import { AssetStore, I18n, Menu, Renderer, Slots } from './views/index.ts';

const root = dirname(fileURLToPath(new URL('.', import.meta.url)));

/** Folders of the project itself. */
export const folders = {
  migrations: join(root, 'migrations'),
  views: join(root, 'views'),
  locales: join(root, 'locales'),
  public: join(root, 'public'),
  plugins: join(root, 'plugins'),
  templates: join(root, 'templates/plugin'),
} as const;

export const { version } = packageFile;

/** What tests replace: only what lies outside. */
export interface Overrides {
  clock?: Clock;
  log?: Log;
  /** Listeners that write to what they are only shown, throw; missing texts show as `⟦key⟧`. */
  strict?: boolean;
  /** The house goes with the process or soon after: nobody waits until the disk has what was written. */
  isThrowaway?: boolean;
}

/** Floors 0 and 1, and the two domains that all others lean on. */
export interface Ground {
  config: Config;
  clock: Clock;
  log: Log;
  /** What this process is called in lists and in the audit log. */
  node: string;
  db: Database;
  keys: KeyStore;
  versions: Versions;
  audit: AuditService;
  settings: SettingsService;
  hooks: Hooks;
  i18n: I18n;
  menu: Menu;
  assets: AssetStore;
  renderer: Renderer;
  slots: Slots;
  outbound: Outbound;
}

export async function composeGround(config: Config, overrides: Overrides): Promise<Ground> {
  const { clock = systemClock, strict = false, isThrowaway = false } = overrides;
  const log = overrides.log ?? createLog({ level: config.logLevel, redact });
  const node = nodeName();
  const db = await openDatabase(config, { isThrowaway });
  const keys = await KeyStore.open({ db, key: config.key, keyFile: join(config.dataDir, 'key') });
  const versions = new Versions({
    db,
    onError: (error) => {
      log.warn({ error }, 'Could not look for changes');
    },
  });

  const hooks = new Hooks({ clock, log, strict, isCrowded: () => db.isCrowded });
  hooks.declare(Object.values(coreHooks));
  const audit = new AuditService({ db, clock, node, hooks, events: auditEvents });
  const settings = new SettingsService({ db, hooks, clock, audit, keys: await keys.ring('settings') });
  versions.watch(SETTINGS_VERSION, () => {
    settings.forget();
  });
  versions.watch(KEYS_VERSION, () => keys.reload());

  const i18n = new I18n({ directory: folders.locales, showMissing: strict });
  const assets = new AssetStore(folders.public);
  const renderer = new Renderer({ directory: folders.views, i18n, assets, now: () => clock.now() });
  const slots = new Slots({
    renderer,
    onFault: (fault) => {
      log.warn(fault, 'A listener failed');
    },
    onAsked: ({ slot: name, ...asked }) => {
      hooks.charge({ ...asked, kind: 'slot', name });
    },
  });
  return {
    config,
    clock,
    log,
    node,
    db,
    keys,
    versions,
    audit,
    settings,
    hooks,
    i18n,
    menu: new Menu(),
    assets,
    renderer,
    slots,
    outbound: new Outbound({ allowed: config.outboundAllow, proxy: new ProxyRule(config.proxy) }),
  };
}

const nodeName = (): string =>
  `${hostname()}-${userInfo().username}-${randomUUID().slice(0, 8)}`.slice(0, 60);

/** Opens it and brings its schema up to date; whoever comes second waits for the first. */
async function openDatabase(
  { databaseUrl, dataDir }: Config,
  { isThrowaway }: { isThrowaway: boolean },
): Promise<Database> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (databaseUrl.startsWith('sqlite:'))
    mkdirSync(dirname(databaseUrl.slice('sqlite:'.length)), { recursive: true });
  const db = Database.open(databaseUrl, { isThrowaway });
  try {
    await migrate(db, CORE, await loadMigrations(folders.migrations));
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
