import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import supertest from 'supertest';
import { inject } from 'vitest';
import { instanceSecrets } from '../../src/compose-web.ts';
import type { Latchkey } from '../../src/compose.ts';
import type { Database } from '../../src/db/database.ts';
import type { Log } from '../../src/log.ts';
import { afterwards } from './cleanup.ts';
import { days, testClock, type TestClock } from './clock.ts';
import { freshDatabase, type Engine } from './databases.ts';
import { Given, type Person } from './given.ts';
import { configFor, openHouse } from './house.ts';
import { HttpClient } from './http-client.ts';
import { startMailbox, type Mailbox } from './mailbox.ts';
import { triedOnce } from './tried-once.ts';

export interface TestAppOptions {
  engine?: Engine;
  /** Another app's database: one installation, two nodes. */
  databaseUrl?: string;
  /** An empty database: nobody owns the house yet. */
  isNew?: boolean;
  clock?: TestClock;
  /** Without one nothing is mailed and links are shown, as in a house without SMTP. */
  mail?: boolean;
  /** Delivers events and mail and runs jobs by itself. With mail it does; else `settle()` delivers what waits. */
  work?: boolean;
  /** A folder of further plugins. */
  pluginDir?: string;
  /** As browsers and passkeys know it; passkeys need a name, so theirs is `localhost`. */
  host?: '127.0.0.1' | 'localhost';
  /** Other variables of the configuration, without prefix: `{ TRUST_PROXY: 'loopback' }`. */
  config?: Record<string, string>;
  /** Silent unless a test reads along. */
  log?: Log;
}

export interface TestApp {
  readonly origin: string;
  readonly databaseUrl: string;
  readonly db: Database;
  readonly clock: TestClock;
  readonly given: Given;
  /** What was mailed; throws when the app was started without `mail`. */
  readonly mailbox: Mailbox;
  /** The parts of the app, for what no page shows. */
  readonly house: Latchkey;
  /** One request and what is expected of it: `await request().get('/healthz').expect(200)`. */
  readonly request: () => ReturnType<typeof supertest>;
  /** A browser in which nobody is signed in. */
  readonly guest: () => HttpClient;
  /** A browser in which this person is. */
  readonly as: (person: Person) => HttpClient;
  /** A program with a token of this person. */
  readonly api: (person: Person) => HttpClient;
  /** Delivers every event and every mail that waits. */
  readonly settle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The whole app in this process, on a database of its own, listening on loopback. Gone when the test ends. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { engine = 'sqlite', clock = testClock(), mail = false, work = mail } = options;
  const mailbox = mail ? await startMailbox() : null;
  const databaseUrl =
    options.databaseUrl ?? (await freshDatabase(engine, { empty: options.isNew ?? false })).url;
  const { server, origin } = await listen(options.host);
  const config = configFor({
    BASE_URL: origin,
    DATABASE_URL: databaseUrl,
    DATA_DIR: await mkdtemp(join(inject('folder'), 'data-')),
    ...(mailbox ? { SMTP_URL: mailbox.url, MAIL_FROM: 'helpdesk@example.org' } : {}),
    ...(options.pluginDir === undefined ? {} : { PLUGIN_DIR: options.pluginDir }),
    ...options.config,
  });
  const overrides = {
    clock,
    isThrowaway: true,
    trial: triedOnce,
    ...(options.log ? { log: options.log } : {}),
  };
  const house = await openHouse(config, overrides, { work });
  server.on('request', house.app);

  const close = onlyOnce(async () => {
    server.closeAllConnections();
    server.close();
    await house.close();
  });
  afterwards(close);

  const app: TestApp = {
    origin,
    databaseUrl,
    db: house.ground.db,
    clock,
    house,
    close,
    get mailbox() {
      if (!mailbox) throw new Error('Start the app with { mail: true } to read its mail');
      return mailbox;
    },
    get given() {
      return given;
    },
    request: () => supertest(origin),
    guest: () => new HttpClient(origin),
    as: (person) => new HttpClient(origin, { prepare: (browser) => signIn(house, browser, person) }),
    api: (person) => new HttpClient(origin, { prepare: (program) => giveToken(house, program, person) }),
    settle: () => settle(house),
  };
  const given = new Given(app);
  return app;
}

async function listen(host = '127.0.0.1'): Promise<{ server: Server; origin: string }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, origin: `http://${host}:${String(port)}` };
}

const client = { ip: '127.0.0.1', userAgent: 'test' };

async function signIn({ ground, domains }: Latchkey, browser: HttpClient, { id }: Person): Promise<void> {
  const { cookie } = await domains.sessions.start(id, client);
  const { instanceId } = await instanceSecrets(ground);
  browser.cookies.set(`latchkey_${instanceId}`, cookie.value);
}

async function giveToken({ ground, domains }: Latchkey, program: HttpClient, { id }: Person): Promise<void> {
  const { accessTokens, directory } = domains;
  const actor = await directory.actorById(id);
  if (!actor) throw new Error('Nobody has this id, or the account is disabled');
  const draft = { name: 'test', scopes: ['*'], expiresAt: ground.clock.now() + days(1) };
  const { secret } = await accessTokens.create(actor, id, draft);
  program.headers.set('authorization', `Bearer ${secret}`);
}

async function settle({ domains }: Latchkey): Promise<void> {
  await domains.dispatcher.drain();
  await domains.courier?.drain();
}

function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= work());
}
