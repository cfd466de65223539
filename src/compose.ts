import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { apiRoutes } from './api/api-routes.ts';
import { composeDomains, type Domains } from './compose-domains.ts';
import { composeGround, folders, version, type Ground, type Overrides } from './compose-ground.ts';
import { composeMarketplace } from './compose-marketplace.ts';
import { composeSupport } from './compose-support.ts';
import { composePlugins } from './compose-plugins.ts';
import { addCoreMenu, coreRoutes } from './compose-routes.ts';
import { composeWeb } from './compose-web.ts';
import type { Config } from './config.ts';
import { Drain } from './http/drain.ts';
import type { LockReason } from './crypto/key-store.ts';
import { HashThread } from './identity/index.ts';
import type { MailTransport } from './mail/index.ts';
import { lockedApp } from './http/locked-app.ts';
import { CORE_OWNER, type RouteTable } from './http/route-table.ts';
import {
  marketplaceRoutes,
  offlineRoutes,
  stopRoutes,
  type CatalogueReader,
  type MarketplaceService,
  type OfflineService,
  type Operation,
  type RatingService,
  type StopService,
} from './marketplace/index.ts';
import type { SupportCourier, SupportService } from './network/index.ts';
import {
  BootMarkers,
  Watchdog,
  packageRoutes,
  reportFor,
  type CommandList,
  type PluginHost,
  type PluginInstaller,
  type PluginUninstaller,
  type PublisherKeys,
  type Reached,
  type RunPreflight,
} from './plugin-host/index.ts';
import { listeningAt } from './settings/index.ts';
import { system } from './shared/actor.ts';
import { UnavailableError } from './shared/errors.ts';

/** The whole house, standing, its doors still closed. */
export interface Latchkey {
  config: Config;
  ground: Ground;
  domains: Domains;
  app: RequestListener;
  routes: RouteTable;
  plugins: PluginHost;
  installer: PluginInstaller;
  uninstaller: PluginUninstaller;
  marketplace: MarketplaceService;
  reader: CatalogueReader;
  ratings: RatingService;
  stops: StopService;
  offline: OfflineService;
  support: SupportService;
  supportCourier: SupportCourier;
  publishers: PublisherKeys;
  commands: CommandList;
  /** Loads the plugins; with `work`, also begins to deliver events, send mail and run jobs. */
  open(options: { work: boolean }): Promise<void>;
  /** `/readyz` says so from now on. */
  stopAccepting(): void;
  /** In reverse: finishes what runs, then lets go of the database. */
  close(): Promise<void>;
}

interface Options extends Overrides {
  /** A passer-by such as the command line: no crash marker, no place in the list of nodes. */
  isPasserBy?: boolean;
  /** Runs no plugin code. */
  isOnlooker?: boolean;
  /** Somebody starts this process again when it ends. */
  isSupervised?: boolean;
  /** Told at each step of installing a plugin. */
  reached?: Reached;
  /** Around the trial of a package, which is another process. */
  trial?: (preflight: RunPreflight) => RunPreflight;
  /** Takes the mails, instead of the SMTP server of the configuration. */
  mail?: MailTransport;
  /** How long a plugin that is ended may finish what it is at. */
  drainMs?: number;
  /** Told at each step of bringing one in from a hub. */
  brought?: (step: Operation['step']) => void;
}

/** Read from here to know the system: the ground, the domains, the web, the plugins, in the order of the floors. */
export async function compose(config: Config, options: Options = {}): Promise<Latchkey> {
  const ground = await composeGround(config, options);
  const { db, clock, versions, keys } = ground;
  let isAccepting = true;
  let onFault: (thrown: unknown) => void = () => undefined;
  try {
    if (keys.lock)
      throw new UnavailableError('keys.locked', {
        params: { needs: keys.lock.needs.join(', '), reason: keys.lock.reason },
      });
    const hashing = options.isSupervised === true ? new HashThread() : undefined;
    const domains = await composeDomains(ground, { hashing, mailTaker: options.mail });
    const { app, routes } = await composeWeb(ground, domains, {
      isAccepting: () => isAccepting,
      strict: options.strict ?? false,
      onFault: (thrown) => {
        onFault(thrown);
      },
    });
    const markers =
      options.isPasserBy === true
        ? null
        : new BootMarkers(join(config.dataDir, 'boot.json'), () => clock.now());
    const watchdog = options.isSupervised === true && markers ? new Watchdog(markers.lastWordsFile) : null;
    const { plugins, installer, uninstaller, publishers, commands, settingGroups } = composePlugins(
      ground,
      domains,
      {
        routes,
        markers,
        node: ground.node,
        watchdog,
        isOnlooker: options.isOnlooker === true,
        reached: options.reached ?? (() => undefined),
        trial: options.trial ?? ((preflight) => preflight),
        ...(options.drainMs === undefined ? {} : { drainMs: options.drainMs }),
      },
    );
    onFault = (thrown) => {
      plugins.takeDrawingBlame(thrown);
    };
    domains.entitlements.tellOf(async () =>
      (await plugins.list('en')).flatMap(({ id, version: has, state }) =>
        state === 'enabled' ? [{ id, version: has }] : [],
      ),
    );
    domains.networkDoctor.askForMisfits(async () =>
      reportFor(version, await plugins.list('en')).filter(
        ({ fits, desired }) => !fits && desired === 'enabled',
      ),
    );
    const { marketplace, reader, stops, offline, ratings } = composeMarketplace(ground, domains, {
      plugins,
      installer,
      reached: options.brought ?? (() => undefined),
    });
    const { support, courier } = composeSupport(ground, domains, { plugins, routes });
    addCoreMenu(ground);
    routes.add(coreRoutes(ground, domains, { plugins, settingGroups, routes }), CORE_OWNER);
    routes.add(
      [
        ...marketplaceRoutes({ marketplace, ratings, clock }),
        ...stopRoutes({ stops, clock }),
        ...offlineRoutes({ offline, clock }),
      ],
      CORE_OWNER,
    );
    routes.add(packageRoutes({ plugins, installer, uninstaller, publishers, clock }), CORE_OWNER);
    routes.add(
      apiRoutes({ hooks: ground.hooks, routes: () => routes.all().map(({ route }) => route), version }),
      CORE_OWNER,
    );

    return {
      config,
      ground,
      domains,
      app,
      routes,
      plugins,
      installer,
      uninstaller,
      marketplace,
      reader,
      ratings,
      stops,
      offline,
      support,
      supportCourier: courier,
      publishers,
      commands,
      open: async ({ work }) => {
        await versions.start();
        await plugins.start();
        if (!work) return;
        domains.dispatcher.start();
        domains.courier?.start();
        domains.jobs.start();
      },
      stopAccepting: () => {
        isAccepting = false;
      },
      close: async () => {
        isAccepting = false;
        await oneAfterTheOther([
          () => marketplace.close(),
          () => reader.close(),
          () => ratings.close(),
          () => courier.close(),
          () => domains.jobs.stop(),
          () => domains.courier?.stop(),
          () => domains.dispatcher.stop(),
          () => plugins.stop(),
          () => watchdog?.stop(),
          () => domains.network.close(),
          () => domains.trust.close(),
          () => {
            domains.entitlements.close();
          },
          () => domains.hubLine.close(),
          () => versions.stop(),
          () => ground.outbound.close(),
          () => db.close(),
        ]);
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** All of them, even if one fails, as they do when the database went first; the first failure is told in the end. */
async function oneAfterTheOther(steps: readonly (() => Promise<void> | undefined)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

export interface RunningServer {
  start(): Promise<{ url: string; port: number; ownerLink: string | null }>;
  stop(): Promise<void>;
  /** Whether an error that nobody caught is a plugin's, which is charged with it: then the server may go on, or must end for its sake. */
  takeBlame(error: unknown, ending?: { endsProcess: boolean }): boolean;
}

const DRAIN_MS = 25_000;
/** For what is written to travel; idle connections do not wait for it. */
const LAST_BYTES_MS = 1_000;

/** The house with its doors open; without the right master key, a door that says so. */
export async function composeServer(config: Config, overrides: Overrides = {}): Promise<RunningServer> {
  try {
    return serverOf(config, await compose(config, { ...overrides, isSupervised: true }));
  } catch (error) {
    if (error instanceof UnavailableError && error.code === 'keys.locked') return lockedServer(config, error);
    throw error;
  }
}

/** The five states of the master key, in words for whoever runs the server. */
const whyLocked: Readonly<Record<LockReason, string>> = {
  missing:
    'Its key file is not there. Bring it back from the backup of the data folder, or set LATCHKEY_KEY.',
  unreadable:
    'Its key file is there and cannot be read. Give it to the account that runs the server, mode 0600.',
  'wrong-length':
    'What should be its master key is not 32 bytes. Bring back the file as it was; it may have been cut.',
  'wrong-key':
    'Its master key is another one than its database was made with. Bring the right key file, or LATCHKEY_KEY.',
  damaged:
    'Its master key is the right one, but what it protects in the database was changed. Restore the database from a backup.',
};

function lockedServer(config: Config, { params }: UnavailableError): RunningServer {
  const title = 'This helpdesk is locked';
  const text = `${whyLocked[String(params['reason']) as LockReason]} The key that is needed has the id ${String(params['needs'])}. Nothing was changed; \`latchkey secret doctor\` says more.`;
  console.error(`${title}. ${text}`);
  const server = createServer(lockedApp({ title, text }));
  return {
    start: async () => {
      const port = await listen(server, config);
      return { url: urlOf(config, port), port, ownerLink: null };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
    takeBlame: () => false,
  };
}

function serverOf(config: Config, latchkey: Latchkey): RunningServer {
  const drain = new Drain();
  const server = createServer(drain.listener(latchkey.app));
  const start = async (): ReturnType<RunningServer['start']> => {
    await latchkey.open({ work: true });
    const port = await listen(server, config);
    const url = urlOf(config, port);
    await rememberAddress(latchkey, url);
    const token = await latchkey.domains.ownerLink.issue();
    return { url, port, ownerLink: token === null ? null : `${url}/setup/${token}` };
  };
  return {
    start: async () => {
      try {
        return await start();
      } catch (error) {
        // In order, so that a port that is taken is not held against the plugins.
        await latchkey.close();
        throw error;
      }
    },
    stop: async () => {
      latchkey.stopAccepting();
      await drain.begin({ withinMs: DRAIN_MS });
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      const patience = setTimeout(() => {
        server.closeAllConnections();
      }, LAST_BYTES_MS);
      await closed;
      clearTimeout(patience);
      await latchkey.close();
    },
    takeBlame: (error, ending) => latchkey.plugins.takeBlame(error, ending),
  };
}

const urlOf = ({ baseUrl, host }: Config, port: number): string =>
  baseUrl ?? `http://${host === '127.0.0.1' ? 'localhost' : host}:${String(port)}`;

function listen(server: Server, { host, port }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function rememberAddress({ config, ground }: Latchkey, url: string): Promise<void> {
  if (config.baseUrl !== undefined) return;
  await ground.db.transaction((tx) => ground.settings.set(tx, system, listeningAt, url));
}

/** Where the project's own folders are; for the command line. */
export { folders, version };
