import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { asTheAuthorKnows, authorLog, wordsOfFault } from './author-log.ts';
import { checkPlugin, type Problem, type Surface } from './cli/author/check-plugin.ts';
import { compose, type Latchkey } from './compose.ts';
import { playgroundRoutes } from './compose-playground.ts';
import { readConfig } from './config.ts';
import { DevClock } from './dev-clock.ts';
import { Copies, isWatched } from './dev-copies.ts';
import { Faults } from './dev-faults.ts';
import { DevMailbox } from './dev-mailbox.ts';
import { DevTimers } from './dev-timers.ts';
import { json } from './http/reply.ts';
import { route } from './http/route.ts';
import { CORE_OWNER } from './http/route-table.ts';
import { BUILT_IN_PROFILES, ROOT_ENTITY_ID } from './identity/index.ts';
import { loadAfreshNextTime, readManifest, type PluginHost } from './plugin-host/index.ts';
import { listeningAt } from './settings/index.ts';
import { system } from './shared/actor.ts';
import { ConflictError } from './shared/errors.ts';
import { watchBelow } from './watch-below.ts';

const PASSWORD = 'a plugin in the making';
const OWNER = { name: 'Dev', email: 'dev@example.org', password: PASSWORD } as const;
/** Who has every right sees no door that stays shut. */
const OTHERS = [
  { name: 'Tess', email: 'technician@example.org', profile: 'technician' },
  { name: 'Remy', email: 'requester@example.org', profile: 'self-service' },
] as const;
const SAVED_TOGETHER_MS = 25;
/** Whoever saves waits for nothing that the version before still does. */
const DRAIN_MS = 200;
const FAULTS_SHOWN = 5;

interface Wanted {
  folder: string;
  port: number;
  surface: () => Promise<Surface>;
  say: (line: string) => void;
  /** Somebody who starts this process again when it ends, and wants to know where it listens. */
  supervisor?: (facts: { port: number }) => void;
}

interface Outcome {
  generation: number;
  /** How far it came, and what stopped it; null when it runs. */
  failure: { step: string; message: string; place: string | null } | null;
  problems: Problem[];
}

interface Helpdesk {
  url: string;
  close: () => Promise<void>;
  takeBlame: PluginHost['takeBlame'];
}

/** A helpdesk on this machine that follows what is saved in a plugin's folder, and says on every page what is wrong with it. */
export async function developPlugin({ folder, port, surface, say, supervisor }: Wanted): Promise<Helpdesk> {
  const { id } = await readManifest(folder);
  const server = await serverAt(port);
  const open = doorOf(server);
  supervisor?.({ port: portOf(server) });
  const url = `http://localhost:${String(portOf(server))}`;
  const copies = await Copies.of(folder, id);
  await (
    await copies.take()
  )();
  const faults = new Faults();
  const clock = new DevClock(join(await dataDirOf(folder), 'clock'));
  const mailbox = new DevMailbox(clock);
  const isSupervised = supervisor !== undefined;
  const house = await openHouse({
    id,
    folder,
    pluginDir: copies.pluginDir,
    say,
    isSupervised,
    faults,
    mailbox,
    clock,
    url,
  });

  const outcome: Outcome = { generation: 0, failure: null, problems: [] };
  const timers = new DevTimers(id);
  /** While it is disabled: nothing of it may be under way. */
  const leftRunning = (): void => {
    for (const place of timers.stopAll()) {
      const fault = { plugin: id, where: 'timer', words: LEFT_RUNNING, place };
      faults.add(fault);
      say(wordsOfFault(fault));
    }
  };
  const reload = async (): Promise<void> => {
    const startedAt = performance.now();
    const putToUse = await copies.take();
    faults.forget();
    const failure = await startAfresh(house, { id, folder: copies.current, putToUse, faults, leftRunning });
    const problems = await checkPlugin(folder, await surface()).catch(() => []);
    Object.assign(outcome, toldOnce(failure, problems));
    outcome.generation += 1;
    const took = `${(performance.now() - startedAt).toFixed(0)} ms`;
    const isTold = faults.all.some(({ words }) => words !== LEFT_RUNNING);
    if (outcome.failure && !isTold) say(wordsOfFailure(id, outcome.failure));
    say(outcome.failure ? `✗ ${id} does not run` : `✓ ${id} runs (${took})`);
    for (const { file, line, message } of outcome.problems) say(`  ${file}:${String(line ?? '')} ${message}`);
  };
  showOn(house, { id, outcome, faults, mailbox, clock });
  await reload();
  open(house.app);
  const following = await follow(folder, reload, say);
  return {
    url,
    takeBlame: (error, ending) => house.plugins.takeBlame(error, ending),
    close: async () => {
      await following.close();
      timers.close();
      server.closeAllConnections();
      server.close();
      await house.close();
      await copies.remove();
    },
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Before anything else is begun, since another one may be at work there. */
async function serverAt(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening').catch((cause: unknown) => {
    throw new ConflictError('author.port-taken', { params: { port }, cause });
  });
  return server;
}

/** Whoever comes while the house is made waits for it; answers what opens the door. */
function doorOf(server: Server): (app: RequestListener) => void {
  const waiting: [IncomingMessage, ServerResponse][] = [];
  const hold = (...one: [IncomingMessage, ServerResponse]): void => {
    waiting.push(one);
  };
  server.on('request', hold);
  return (app) => {
    server.off('request', hold).on('request', app);
    for (const [request, response] of waiting) app(request, response);
  };
}

export const devOwner = OWNER;
export const devOthers: readonly { email: string }[] = OTHERS;

interface Saved {
  id: string;
  folder: string;
  /** While it is disabled: the host looks after its plugins by itself too, and would read what is only half changed. */
  putToUse: () => Promise<void>;
  faults: Faults;
  leftRunning: () => void;
}

const LEFT_RUNNING =
  'an interval went on after the plugin was disabled, and was stopped: stop it in host.onDispose';

async function startAfresh(
  house: Latchkey,
  { id, folder, putToUse, faults, leftRunning }: Saved,
): Promise<Outcome['failure']> {
  try {
    await house.plugins.disable(system, id);
    leftRunning();
    await putToUse();
    const { main } = await readManifest(folder);
    loadAfreshNextTime(folder, main);
    const { state, step, error } = await house.plugins.enable(system, id);
    if (state === 'enabled') return null;
    const place = faults.all.find(({ where }) => where === step)?.place ?? null;
    return { step: step ?? state, message: asTheAuthorKnows(error ?? ''), place };
  } catch (error) {
    const message = asTheAuthorKnows(error instanceof Error ? error.message : String(error));
    return { step: 'plugin.json', message, place: null };
  }
}

/** What the host never came to see. */
const wordsOfFailure = (plugin: string, { step, message, place }: NonNullable<Outcome['failure']>): string =>
  wordsOfFault({ plugin, where: step, words: message, place });

/** What stopped it and what a look at its files finds are often the same: the file and the line are of use, and once is enough. */
function toldOnce(
  failure: Outcome['failure'],
  problems: readonly Problem[],
): Pick<Outcome, 'failure' | 'problems'> {
  const isTold = ({ message }: Problem): boolean => failure?.message.includes(message) === true;
  const [first] = problems.filter(isTold);
  const found = first && first.line !== null ? `${first.file}:${String(first.line)}` : null;
  const place = failure?.place ?? found;
  const isSaid = place !== null && failure?.message.includes(place) === true;
  return {
    failure: failure && { ...failure, place: isSaid ? null : place },
    problems: problems.filter((problem) => !isTold(problem)),
  };
}

interface Shown {
  id: string;
  outcome: Outcome;
  faults: Faults;
  mailbox: DevMailbox;
  clock: DevClock;
}

/** On every page of somebody who is signed in: whether to load it again, and what stands in the way. */
function showOn(house: Latchkey, { id, outcome, faults, mailbox, clock }: Shown): void {
  const { ground, routes } = house;
  routes.add(
    [
      route({
        method: 'get',
        path: '/dev/plugin',
        access: 'public',
        handler: () => json({ generation: outcome.generation }),
      }),
      ...playgroundRoutes(house, { plugin: id, faults, mailbox, clock }),
    ],
    CORE_OWNER,
  );
  ground.slots.add('layout.banner', CORE_OWNER, 'plugins/dev', () => {
    const shown = outcome.failure ? [] : faults.all.slice(0, FAULTS_SHOWN);
    return { ...outcome, plugin: id, faults: shown, ahead: clock.isAhead ? { now: clock.now() } : null };
  });
}

async function follow(
  folder: string,
  reload: () => Promise<void>,
  say: (line: string) => void,
): Promise<{ close: () => Promise<void> }> {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const watching = await watchBelow(folder, {
    isWatched,
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        running = running.then(reload).catch((error: unknown) => {
          say(`✗ ${asTheAuthorKnows(error instanceof Error ? error.message : String(error))}`);
        });
      }, SAVED_TOGETHER_MS);
    },
  });
  return {
    close: async () => {
      clearTimeout(timer);
      watching.close();
      await running;
    },
  };
}

interface Place extends Pick<Shown, 'id' | 'faults' | 'mailbox' | 'clock'> {
  folder: string;
  pluginDir: string;
  say: (line: string) => void;
  isSupervised: boolean;
  url: string;
}

/** Its data stays beside the plugin, out of its package and out of git. */
async function dataDirOf(folder: string): Promise<string> {
  const dataDir = join(folder, '.latchkey');
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, '.gitignore'), '*\n');
  return dataDir;
}

async function openHouse({
  id,
  folder,
  pluginDir,
  say,
  isSupervised,
  faults,
  mailbox,
  clock,
  url,
}: Place): Promise<Latchkey> {
  const config = readConfig({
    LATCHKEY_DATA_DIR: await dataDirOf(folder),
    LATCHKEY_PLUGIN_DIR: pluginDir,
    LATCHKEY_PORT: '0',
  });
  const log = authorLog(say, {
    withOwnLines: true,
    onFault: (fault) => {
      if (fault.plugin === id) faults.add(fault);
    },
    explain: (code, params) => house.ground.i18n.translate('en', `errors.${code}`, params),
  });
  const house = await compose(config, {
    clock,
    log,
    mail: mailbox,
    drainMs: DRAIN_MS,
    isPasserBy: !isSupervised,
    isSupervised,
  });
  await house.open({ work: true });
  const token = await house.domains.ownerLink.issue();
  if (token !== null)
    await house.domains.setup.complete(
      token,
      { ...OWNER, locale: 'en', organisation: basename(folder), timeZone: 'UTC', origin: '' },
      { ip: '127.0.0.1', userAgent: 'latchkey plugin dev' },
    );
  await inviteOthers(house);
  const { db, settings } = house.ground;
  await db.transaction((tx) => settings.set(tx, system, listeningAt, url));
  return house;
}

async function inviteOthers({ ground, domains }: Latchkey): Promise<void> {
  const { users, memberships } = domains;
  for (const { name, email, profile } of OTHERS) {
    if (await users.findByEmail(email)) continue;
    const draft = { name, email, locale: 'en', password: PASSWORD } as const;
    const prepared = await users.prepare(draft, { lane: 'sign-in' });
    await ground.db.transaction(async (tx) => {
      const { id: userId } = await users.insert(tx, prepared, { actor: system, emailProven: true });
      const grant = {
        userId,
        profileId: BUILT_IN_PROFILES[profile],
        entityId: ROOT_ENTITY_ID,
        recursive: true,
      };
      await memberships.grant(tx, grant, { actor: system });
    });
  }
}
