import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AuditService } from '../../src/audit/index.ts';
import { KeyStore } from '../../src/crypto/key-store.ts';
import type { Database } from '../../src/db/database.ts';
import { Versions } from '../../src/db/versions.ts';
import { Hooks } from '../../src/hooks/index.ts';
import { RateLimits } from '../../src/http/rate-limit.ts';
import { RouteTable } from '../../src/http/route-table.ts';
import { Rights } from '../../src/identity/rights.ts';
import { JobScheduler } from '../../src/jobs/index.ts';
import { createLog } from '../../src/log.ts';
import {
  BootMarkers,
  CommandList,
  OfferedServices,
  PluginHost,
  type Registries,
  type Services,
} from '../../src/plugin-host/index.ts';
import type { Trouble } from '../../src/plugin-host/plugin-news.ts';
import type { SafeModeFacts } from '../../src/plugin-host/safe-mode.ts';
import { SettingGroups, SettingsService } from '../../src/settings/index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { AssetStore, I18n, Menu, Renderer, Slots } from '../../src/views/index.ts';
import { afterwards } from '../support/cleanup.ts';
import { openFreshDatabase, type Engine } from '../support/databases.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const fixtures = join(root, 'test/plugin-host/fixtures');

/** A folder that is gone when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-plugins-'));
  afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface PluginDraft {
  /** Of plugin.json, beside what every one must have. */
  manifest?: Record<string, unknown>;
  /** Of its files by name; `index.ts` sets nothing up unless said. */
  files?: Record<string, string>;
}

/** Writes a plugin to disk. */
export async function writePlugin(
  place: string,
  id: string,
  { manifest = {}, files = {} }: PluginDraft = {},
): Promise<void> {
  const usual = {
    id,
    name: id,
    version: '1.0.0',
    description: 'A plugin of the tests.',
    publisher: 'test',
    license: 'MIT',
    engines: { latchkey: '*' },
  };
  const all = {
    'plugin.json': JSON.stringify({ ...usual, ...manifest }),
    'index.ts': setupWith(''),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    const file = join(place, id, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** A main file whose set-up does this. */
export const setupWith = (body: string): string =>
  `import * as api from 'latchkey/plugin-api';\nexport default api.definePlugin(async (host) => {\n${body}\n});\n`;

export const useFixture = (place: string, name: string): Promise<void> =>
  cp(join(fixtures, name), join(place, name), { recursive: true });

interface Options {
  db: Database;
  places: { bundled: string; added: string };
  isSafeMode?: boolean;
  /** As the command line: runs nothing, tells what others made of it. */
  isOnlooker?: boolean;
  markerFile?: string;
  node?: string;
  setupMs?: number;
  /** What people would be told. */
  told?: Trouble[];
  toldOfSafeMode?: SafeModeFacts[];
}

/** A host with all the registries of the product, and nobody to serve. Several on one database are several processes. */
export async function startHost(
  options: Options,
): Promise<{ host: PluginHost; registries: RealRegistries; versions: Versions }> {
  const { db, places, isSafeMode = false, isOnlooker = false, node = 'node-1', setupMs = 1_000 } = options;
  const folder = await temporaryFolder();
  const clock = systemClock;
  const log = createLog({ level: 'silent', redact: (text) => text });
  const keys = await KeyStore.open({ db, key: 'a'.repeat(64), keyFile: join(folder, 'key') });
  const audit = new AuditService({ db, clock, node: 'test' });
  const settings = new SettingsService({ db, clock, audit, keys: await keys.ring('settings') });
  const versions = new Versions({ db, onError: () => undefined });
  const registries = realRegistries({ db, log });
  const nothing = {
    users: {},
    passkeys: {},
    providers: {},
    memberships: {},
    mail: {},
    tickets: () => ({}),
    sessions: {},
  };
  const services = { ...nothing, audit, limits: new RateLimits() } as unknown as Services;
  const hear = (trouble: Trouble): Promise<void> => Promise.resolve(void options.told?.push(trouble));
  const host = new PluginHost({
    ground: { node: 'test', db, clock, log, keys, settings, audit },
    registries,
    services,
    news: {
      tell: hear,
      tellIn: (_tx, trouble) => hear(trouble),
      tellOfSafeMode: (facts) => Promise.resolve(void options.toldOfSafeMode?.push(facts)),
    },
    versions,
    places,
    latchkeyVersion: '0.1.0',
    node,
    safeMode: isSafeMode ? 'asked' : null,
    isOnlooker,
    markers: isOnlooker
      ? null
      : new BootMarkers(options.markerFile ?? join(folder, 'boot.json'), () => clock.now()),
    setupMs,
    drainMs: 500,
  });
  await host.start();
  afterwards(() => host.stop());
  return { host, registries, versions };
}

export type RealRegistries = ReturnType<typeof realRegistries>;

function realRegistries({ db, log }: { db: Database; log: ReturnType<typeof createLog> }) {
  const clock = systemClock;
  const i18n = new I18n({ directory: join(root, 'locales') });
  const assets = new AssetStore(join(root, 'public'));
  const renderer = new Renderer({ directory: join(root, 'views'), i18n, assets, now: () => clock.now() });
  return {
    hooks: new Hooks({ clock, log }),
    routes: new RouteTable(() => (_req, _res, next) => {
      next();
    }),
    rights: new Rights(),
    menu: new Menu(),
    i18n,
    renderer,
    slots: new Slots({ renderer, onFault: () => undefined }),
    assets,
    jobs: new JobScheduler({ db, clock, log }),
    settingGroups: new SettingGroups(),
    commands: new CommandList(),
    offered: new OfferedServices(),
  } satisfies Registries;
}

/** Two empty folders for plugins and a database of this test's own. */
export async function emptyHouse(
  engine: Engine,
): Promise<{ db: Database; url: string; places: { bundled: string; added: string } }> {
  const folder = await temporaryFolder();
  const { db, url } = await openFreshDatabase(engine);
  // The house that the template was made with had plugins; this one has never seen any.
  await db.transaction((tx) => tx.knex('plugin_state').delete());
  const places = { bundled: join(folder, 'bundled'), added: join(folder, 'added') };
  await mkdir(places.bundled);
  await mkdir(places.added);
  return { db, url, places };
}
