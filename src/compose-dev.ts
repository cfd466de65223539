import { once } from 'node:events';
import { watch } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { authorLog } from './author-log.ts';
import { checkPlugin, type Problem, type Surface } from './cli/author/check-plugin.ts';
import { compose, type Latchkey } from './compose.ts';
import { playgroundRoutes } from './compose-playground.ts';
import { readConfig } from './config.ts';
import { json } from './http/reply.ts';
import { route } from './http/route.ts';
import { CORE_OWNER } from './http/route-table.ts';
import { loadAfreshNextTime, readManifest, type PluginHost } from './plugin-host/index.ts';
import { system } from './shared/actor.ts';
import { ConflictError } from './shared/errors.ts';

const OWNER = { name: 'Dev', email: 'dev@example.org', password: 'a plugin in the making' } as const;
const SAVED_TOGETHER_MS = 25;
const isWatched = (path: string): boolean => !/(^|\/)(\.|node_modules|test\/)/.test(path);

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
  failure: { step: string; message: string } | null;
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
  const place = await mkdtemp(join(tmpdir(), 'latchkey-dev-'));
  const copies = new Copies({ folder, id, place });
  await copies.renew();
  const server = await listeningAt(port);
  supervisor?.({ port: portOf(server) });
  const isSupervised = supervisor !== undefined;
  const house = await openHouse({ folder, pluginDir: copies.pluginDir, say, isSupervised });
  server.on('request', house.app);
  const url = `http://localhost:${String(portOf(server))}`;

  const outcome: Outcome = { generation: 0, failure: null, problems: [] };
  const reload = async (): Promise<void> => {
    const startedAt = performance.now();
    await copies.renew();
    outcome.failure = await startAfresh(house, { id, folder: copies.current });
    outcome.problems = await checkPlugin(folder, await surface()).catch(() => []);
    outcome.generation += 1;
    const took = `${(performance.now() - startedAt).toFixed(0)} ms`;
    say(outcome.failure ? `✗ ${id} does not run` : `✓ ${id} runs (${took})`);
    for (const { file, line, message } of outcome.problems) say(`  ${file}:${String(line ?? '')} ${message}`);
  };
  showOn(house, outcome, id);
  await reload();
  const watching = follow(folder, reload, say);
  return {
    url,
    takeBlame: (error, ending) => house.plugins.takeBlame(error, ending),
    close: async () => {
      watching.close();
      server.closeAllConnections();
      server.close();
      await house.close();
      await rm(place, { recursive: true, force: true });
    },
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Before anything else is begun, since another one may be at work there. */
async function listeningAt(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening').catch((cause: unknown) => {
    throw new ConflictError('author.port-taken', { params: { port }, cause });
  });
  return server;
}

export const devOwner = OWNER;

/**
 * Node keeps every module it has read, and where a link led when it first followed it: each generation is a folder of its own under
 * one name, and what is imported by that name is read from the newest.
 */
class Copies {
  readonly #from: { folder: string; id: string; place: string };
  #generation = 0;

  constructor(from: { folder: string; id: string; place: string }) {
    this.#from = from;
    const name = `${pathToFileURL(this.current).href}/`;
    registerHooks({
      resolve: (specifier, context, nextResolve) =>
        specifier.startsWith(name)
          ? { url: `${this.#newest}${specifier.slice(name.length)}`, shortCircuit: true }
          : nextResolve(specifier, context),
    });
  }

  get #newest(): string {
    return `${pathToFileURL(join(this.#from.place, String(this.#generation), this.#from.id)).href}/`;
  }

  get pluginDir(): string {
    return join(this.#from.place, 'plugins');
  }

  get current(): string {
    return join(this.pluginDir, this.#from.id);
  }

  async renew(): Promise<void> {
    const { folder, id, place } = this.#from;
    const generation = this.#generation + 1;
    const copy = join(place, String(generation), id);
    await cp(folder, copy, {
      recursive: true,
      filter: (path) => path === folder || isWatched(path.slice(folder.length + 1)),
    });
    await mkdir(this.pluginDir, { recursive: true });
    const next = join(place, 'next');
    await symlink(copy, next, 'dir');
    await rename(next, this.current);
    // Not before it is whole: the host looks after its plugins by itself too, and would read half a copy.
    this.#generation = generation;
  }
}

async function startAfresh(
  house: Latchkey,
  { id, folder }: { id: string; folder: string },
): Promise<Outcome['failure']> {
  try {
    await house.plugins.disable(system, id);
    const { main } = await readManifest(folder);
    loadAfreshNextTime(folder, main);
    const { state, step, error } = await house.plugins.enable(system, id);
    return state === 'enabled' ? null : { step: step ?? state, message: error ?? '' };
  } catch (error) {
    return { step: 'plugin.json', message: error instanceof Error ? error.message : String(error) };
  }
}

/** On every page of somebody who is signed in: whether to load it again, and what stands in the way. */
function showOn(house: Latchkey, outcome: Outcome, id: string): void {
  const { ground, routes } = house;
  routes.add(
    [
      route({
        method: 'get',
        path: '/dev/plugin',
        access: 'public',
        handler: () => json({ generation: outcome.generation }),
      }),
      ...playgroundRoutes(house, id),
    ],
    CORE_OWNER,
  );
  ground.slots.add('layout.banner', CORE_OWNER, 'plugins/dev', () => ({ ...outcome, plugin: id }));
}

function follow(
  folder: string,
  reload: () => Promise<void>,
  say: (line: string) => void,
): { close: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const watcher = watch(folder, { recursive: true }, (_, name) => {
    if (name === null || !isWatched(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(reload).catch((error: unknown) => {
        say(`✗ ${error instanceof Error ? error.message : String(error)}`);
      });
    }, SAVED_TOGETHER_MS);
  });
  return {
    close: () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

/** Its data stays beside the plugin, out of its package and out of git. */
async function openHouse({
  folder,
  pluginDir,
  say,
  isSupervised,
}: {
  folder: string;
  pluginDir: string;
  say: (line: string) => void;
  isSupervised: boolean;
}): Promise<Latchkey> {
  const dataDir = join(folder, '.latchkey');
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, '.gitignore'), '*\n');
  const config = readConfig({
    LATCHKEY_DATA_DIR: dataDir,
    LATCHKEY_PLUGIN_DIR: pluginDir,
    LATCHKEY_PORT: '0',
  });
  const house = await compose(config, { log: authorLog(say), isPasserBy: !isSupervised, isSupervised });
  await house.open({ work: true });
  const token = await house.domains.ownerLink.issue();
  if (token !== null)
    await house.domains.setup.complete(
      token,
      { ...OWNER, locale: 'en', organisation: basename(folder), timeZone: 'UTC', origin: '' },
      { ip: '127.0.0.1', userAgent: 'latchkey plugin dev' },
    );
  return house;
}
