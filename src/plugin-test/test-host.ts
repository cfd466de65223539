import { rmSync } from 'node:fs';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authorLog } from '../author-log.ts';
import { instanceSecrets } from '../compose-web.ts';
import { folders, type Latchkey } from '../compose.ts';
import { packPlugin, type PluginFacts } from '../plugin-host/index.ts';
import { system } from '../shared/actor.ts';
import { afterwards } from './cleanup.ts';
import { days, testClock, type TestClock } from './clock.ts';
import { expectCleanUnload } from './clean-unload.ts';
import { Given, type Person } from './given.ts';
import { configFor, furnish, openHouse } from './house.ts';
import { HttpClient } from './http-client.ts';
import { startMailbox, type Mailbox } from './mailbox.ts';

export interface TestHostOptions {
  /** The plugin's folder, as a path or as `new URL('..', import.meta.url)`; several where one leans on others. */
  plugin: string | URL | readonly (string | URL)[];
  clock?: TestClock;
  /** With a mail server on loopback; read what it was brought in `mailbox`. */
  mail?: boolean;
  /** A database of a house that is set up already, instead of one of its own. */
  databaseUrl?: string;
  /** From a package, as it is installed, and not from its folder: then there can be later versions (`upgrade`). */
  packed?: boolean;
  /** Other variables of the configuration, without prefix: `{ SAFE_MODE: '1' }`, with which nothing is enabled. */
  config?: Record<string, string>;
}

/** One server of a helpdesk. */
export interface TestNode {
  readonly origin: string;
  /** The parts of the helpdesk, for what no page shows. */
  readonly house: Latchkey;
  /** A browser in which nobody is signed in. */
  readonly guest: () => HttpClient;
  /** A browser in which this person is. */
  readonly as: (person: Person) => HttpClient;
  /** A program with a token of this person. */
  readonly api: (person: Person) => HttpClient;
  readonly close: () => Promise<void>;
}

/** A helpdesk in this process with the plugin enabled, on a database of its own. Gone when the test ends. */
export interface TestHost extends TestNode {
  readonly clock: TestClock;
  /** People and tickets to begin with: `await given.technician()`, `await given.ticket({ title })`. */
  readonly given: Given;
  readonly mailbox: Mailbox;
  /** Delivers every event and every mail that waits. */
  readonly settle: () => Promise<void>;
  /** Runs a job of the plugin's now. */
  readonly runJob: (id: string) => Promise<void>;
  readonly disable: () => Promise<void>;
  readonly enable: () => Promise<void>;
  /** Disables and enables the plugin `cycles` times and fails when anything of it is left behind. */
  readonly expectCleanUnload: (options?: { cycles?: number }) => Promise<void>;
  /** A second server on the same database; what is enabled and disabled on one, the other follows within seconds. */
  readonly secondNode: () => Promise<TestNode>;
  /** Packs this folder, a later version of the plugin, and puts it to use as an administrator does; fails when it does not run. */
  readonly upgrade: (folder: string | URL) => Promise<void>;
  /** Back to the version before. */
  readonly rollback: () => Promise<void>;
}

/**
 * @example
 * const { as, given } = await createTestHost({ plugin: new URL('..', import.meta.url) });
 * const page = await as(await given.technician()).get('/p/hello');
 */
export async function createTestHost(options: TestHostOptions): Promise<TestHost> {
  const { clock = testClock(), mail = false, packed = false } = options;
  const plugins = [options.plugin].flat().map(pathOf);
  const id = basename(plugins[0] ?? '');
  const folder = await temporaryFolder();
  const mailbox = mail ? await startMailbox() : null;
  const shared = {
    DATABASE_URL: options.databaseUrl ?? (await ownDatabase(folder)),
    PLUGIN_DIR: await placeFor(packed ? plugins.slice(1) : plugins, join(folder, 'plugins')),
    ...(mailbox ? { SMTP_URL: mailbox.url, MAIL_FROM: 'helpdesk@example.org' } : {}),
    ...options.config,
  };
  const node = await openNode({ ...shared, DATA_DIR: folder }, { clock, work: mail });
  const { house } = node;

  const install = async (place: string): Promise<void> => {
    const { bytes } = await packPlugin(place);
    const { version } = await house.installer.stage(system, bytes);
    assertRuns(await house.installer.use(system, id, version), version);
  };
  if (packed) await install(plugins[0] ?? '');
  const enable = async (): Promise<void> => {
    for (const plugin of plugins.toReversed()) await enableOrThrow(house, basename(plugin));
  };
  if (options.config?.['SAFE_MODE'] === undefined) await enable();
  const host: TestHost = {
    ...node,
    clock,
    get given() {
      return given;
    },
    get mailbox() {
      if (!mailbox) throw new Error('Make the host with { mail: true } to read its mail');
      return mailbox;
    },
    settle: async () => {
      await house.domains.dispatcher.drain();
      await house.domains.courier?.drain();
    },
    runJob: (job) => house.domains.jobs.runNow(`${id}.${job}`),
    disable: async () => {
      await house.plugins.disable(system, id);
    },
    enable,
    expectCleanUnload: ({ cycles = 5 } = {}) => expectCleanUnload(house, { id, cycles, enable }),
    secondNode: async () =>
      openNode({ ...shared, DATA_DIR: await temporaryFolder() }, { clock, work: false }),
    upgrade: async (place) => {
      if (!packed) throw new Error('Make the host with { packed: true } to update the plugin');
      await install(pathOf(place));
    },
    rollback: async () => {
      assertRuns(await house.installer.rollback(system, id), null);
    },
  };
  const given = new Given({ house, plugin: id, api: host.api });
  return host;
}

async function openNode(
  variables: Record<string, string>,
  { clock, work }: { clock: TestClock; work: boolean },
): Promise<TestNode> {
  const { server, origin } = await listen();
  const log = authorLog(
    (words) => {
      console.error(words);
    },
    { explain: (code, params) => house.ground.i18n.translate('en', `errors.${code}`, params) },
  );
  const house: Latchkey = await openHouse(
    configFor({ BASE_URL: origin, ...variables }),
    { clock, log, isThrowaway: true },
    { work },
  );
  server.on('request', house.app);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    server.closeAllConnections();
    server.close();
    await house.close();
  };
  afterwards(close);
  return {
    origin,
    house,
    guest: () => new HttpClient(origin),
    as: (person) => new HttpClient(origin, { prepare: (browser) => signIn(house, browser, person) }),
    api: (person) => new HttpClient(origin, { prepare: (program) => giveToken(house, program, person) }),
    close,
  };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-plugin-test-'));
  afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const pathOf = (place: string | URL): string =>
  resolve(typeof place === 'string' ? place : fileURLToPath(place));

async function enableOrThrow(house: Latchkey, id: string): Promise<void> {
  assertRuns(await house.plugins.enable(system, id), null);
}

/** `version` where one in particular is to run; an older one that stands in is not it. */
function assertRuns({ id, state, step, error, version }: PluginFacts, wanted: string | null): void {
  if (state !== 'enabled' || (wanted !== null && version !== wanted))
    throw new Error(`${id} ${wanted ?? ''} did not start (${step ?? state}): ${error ?? ''}`);
}

/** What comes with Latchkey is found where it lies; everything else is linked into a folder of this test's own. */
async function placeFor(plugins: readonly string[], place: string): Promise<string> {
  await mkdir(place);
  for (const plugin of plugins.filter((path) => dirname(path) !== folders.plugins))
    await symlink(plugin, join(place, basename(plugin)), 'dir');
  return place;
}

/** Setting a house up takes a second: it is done once for this process and copied. */
let furnished: Promise<string> | null = null;

async function ownDatabase(folder: string): Promise<string> {
  furnished ??= furnishOnce();
  const file = join(folder, 'latchkey.sqlite');
  await copyFile(await furnished, file);
  return `sqlite:${file}`;
}

async function furnishOnce(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-furnished-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'house.sqlite');
  await furnish(`sqlite:${file}`, folder);
  return file;
}

async function listen(): Promise<{ server: Server; origin: string }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, origin: `http://127.0.0.1:${String(port)}` };
}

const client = { ip: '127.0.0.1', userAgent: 'test' };

/** A browser gets a session without a password having been asked for. */
export async function signIn(
  { ground, domains }: Latchkey,
  browser: HttpClient,
  { id }: Person,
): Promise<void> {
  const { cookie } = await domains.sessions.start(id, client);
  const { instanceId } = await instanceSecrets(ground);
  browser.cookies.set(`latchkey_${instanceId}`, cookie.value);
}

export async function giveToken(
  { ground, domains }: Latchkey,
  program: HttpClient,
  { id }: Person,
): Promise<void> {
  const { accessTokens, directory } = domains;
  const actor = await directory.actorById(id);
  if (!actor) throw new Error('Nobody has this id, or the account is disabled');
  const draft = { name: 'test', scopes: ['*'], expiresAt: ground.clock.now() + days(1) };
  const { secret } = await accessTokens.create(actor, id, draft);
  program.headers.set('authorization', `Bearer ${secret}`);
}
