import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadAfreshNextTime } from '../src/plugin-host/index.ts';
import { system } from '../src/shared/actor.ts';
import { silentLog } from '../src/log.ts';
import type { Latchkey } from '../src/compose.ts';
import { configFor, openHouse } from '../test/support/house.ts';
import { setupWith, writePlugin } from '../test/plugin-host/start-host.ts';
import type { Ground, Place } from './ground.ts';
import { median } from './report.ts';

const PLUGINS = 100;
const BOOTS = 3;
const CYCLES = 200;
const WARM_UP = 20;
/** Files and connections that are just being closed are no traces. */
const SETTLE_MS = 500;
const READING_MS = 5_000;
const BARS = { bootMs: 2_000, megabytesPer100: 1, switchMs: 50 };

/** What a hundred plugins cost at the start, and what two hundred times in and out leave behind. */
export async function benchPlugins(ground: Ground): Promise<boolean> {
  const [place] = await ground.places();
  if (!place) return false;
  const pluginDir = await ground.folder('plugins');
  for (let at = 0; at < PLUGINS; at += 1) await writeSmall(pluginDir, `small-${String(at)}`);
  const bars = [await benchBoots(ground, place, pluginDir)];
  // In houses of their own: what lies beside a plugin is no part of what it leaves behind.
  for (const empty of await ground.places())
    bars.push(await benchCycles(empty, await ground.folder('swing')));
  bars.push(await benchReloads(place, await ground.folder('anew')));
  return bars.every(Boolean);
}

/** A page, a right, a filter and a job each. */
const writeSmall = (pluginDir: string, id: string): Promise<void> =>
  writePlugin(pluginDir, id, {
    manifest: { rights: [{ id: `${id}.look` }], jobs: [{ id: 'tidy', everyMs: 3_600_000 }] },
    files: {
      'locales/en.json': JSON.stringify({ hello: 'Hello' }),
      'index.ts': setupWith(`
        host.routes([api.route({ method: 'get', path: '/p/${id}', access: 'public', handler: () => api.text('${id}') })]);
        host.filter(api.defineFilter({ name: 'bench.word', summary: '', since: '1.0.0', failure: 'open', budgetMs: 10 }), (word) => word);
        host.job('tidy', async () => {});`),
    },
  });

const configOf = ({ databaseUrl, dataDir }: Place, pluginDir: string): ReturnType<typeof configFor> =>
  configFor({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir, PLUGIN_DIR: pluginDir });

async function benchBoots(ground: Ground, place: Place, pluginDir: string): Promise<boolean> {
  const env = { ...place.env, LATCHKEY_PLUGIN_DIR: pluginDir };
  const start = async (folder: string): Promise<number> => {
    const began = performance.now();
    const server = await ground.start({
      dataDir: place.dataDir,
      databaseUrl: place.databaseUrl,
      env: { ...env, LATCHKEY_PLUGIN_DIR: folder },
    });
    const took = performance.now() - began;
    await server.stop();
    return took;
  };
  const nowhere = join(place.dataDir, 'no-plugins');
  const house = await openHouse(configOf(place, pluginDir), { log: silentLog() });
  for (let at = 0; at < PLUGINS; at += 1) await house.plugins.enable(system, `small-${String(at)}`);
  await house.close();
  const [none, many]: [number[], number[]] = [[], []];
  for (let round = 0; round < BOOTS; round += 1) {
    none.push(await start(nowhere));
    many.push(await start(pluginDir));
  }
  const more = median(many) - median(none);
  console.log(
    `Start: ${median(none).toFixed(0)} ms with none, ${median(many).toFixed(0)} ms with ${String(PLUGINS)} plugins: ${more.toFixed(0)} ms more (bar ${String(BARS.bootMs)})`,
  );
  return more <= BARS.bootMs;
}

async function benchCycles(place: Place, pluginDir: string): Promise<boolean> {
  await writeSmall(pluginDir, 'swing');
  const house = await openHouse(configOf(place, pluginDir), { log: silentLog() });
  const { plugins } = house;
  const times = { enable: [] as number[], disable: [] as number[] };
  const cycle = async (): Promise<void> => {
    times.enable.push(await timed(() => plugins.enable(system, 'swing')));
    times.disable.push(await timed(() => plugins.disable(system, 'swing')));
  };
  for (let at = 0; at < WARM_UP; at += 1) await cycle();
  const before = await tracesOf(house);
  const heapBefore = heapMb();
  times.enable.length = 0;
  times.disable.length = 0;
  for (let at = 0; at < CYCLES; at += 1) await cycle();
  const grown = ((heapMb() - heapBefore) * 100) / CYCLES;
  const after = await tracesOf(house);
  await house.close();
  const [enable, disable] = [median(times.enable), median(times.disable)];
  const left = Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
  console.log(
    `${place.engine}: enable ${enable.toFixed(1)} ms, disable ${disable.toFixed(1)} ms at the median (bar ${String(BARS.switchMs)})`,
  );
  console.log(
    `${place.engine}, ${String(CYCLES)} cycles: heap ${grown.toFixed(2)} MB per 100 (bar ${String(BARS.megabytesPer100)}), left behind: ${left.join(', ') || 'nothing'} ${JSON.stringify(after)}`,
  );
  const isQuick = enable <= BARS.switchMs && disable <= BARS.switchMs;
  return isQuick && left.length === 0 && grown <= BARS.megabytesPer100;
}

/** With its code read anew at each turn, as an update or its author's saving does: a module that was read once is never freed. */
async function benchReloads(place: Place, pluginDir: string): Promise<boolean> {
  await writeSmall(pluginDir, 'anew');
  const folder = join(pluginDir, 'anew');
  const house = await openHouse(configOf(place, pluginDir), { log: silentLog() });
  const cycle = async (): Promise<void> => {
    loadAfreshNextTime(folder, 'index.ts');
    await house.plugins.enable(system, 'anew');
    await house.plugins.disable(system, 'anew');
  };
  const main = pathToFileURL(join(folder, 'index.ts')).href;
  let read = 0;
  const readOnly = (): Promise<unknown> => import(`${main}?read=${String((read += 1))}`);
  const ofRuntime = await grownPer100(readOnly);
  const whole = await grownPer100(cycle);
  await house.close();
  const ours = whole - ofRuntime;
  console.log(
    `${place.engine}, ${String(CYCLES)} times with its code read anew: heap ${whole.toFixed(2)} MB per 100, of which ${ofRuntime.toFixed(2)} MB are modules, which the runtime never frees; ${ours.toFixed(2)} MB beyond that (bar ${String(BARS.megabytesPer100)})`,
  );
  return ours <= BARS.megabytesPer100;
}

async function grownPer100(work: () => Promise<unknown>): Promise<number> {
  for (let at = 0; at < WARM_UP; at += 1) await work();
  const before = heapMb();
  for (let at = 0; at < CYCLES; at += 1) await work();
  return ((heapMb() - before) * 100) / CYCLES;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Everything countable that a plugin could leave. */
async function tracesOf({ routes, ground, domains, commands }: Latchkey): Promise<Record<string, number>> {
  await sleep(SETTLE_MS);
  const connections = await connectionsOf(ground);
  return {
    ...(await handles({ connections })),
    routes: routes.all().length,
    listeners: ground.hooks.catalogue().flatMap(({ listeners }) => listeners).length,
    jobs: (await domains.jobs.list()).filter(({ isHere }) => isHere).length,
    statementsAConnection: Math.ceil((await statementsOf(ground)) / Math.max(connections, 1)),
    rights: domains.rights.all().length,
    commands: commands.all().length,
    processListeners: process.eventNames().flatMap((name) => process.rawListeners(name)).length,
  };
}

/**
 * What keeps this process alive, by kind: timers, sockets, files. The pool opens a connection more whenever two are needed at once, and a
 * server that looks for changes reads files now and then: neither is left by a plugin.
 */
async function handles({ connections }: { connections: number }): Promise<Record<string, number>> {
  const deadline = Date.now() + READING_MS;
  while (Date.now() < deadline && process.getActiveResourcesInfo().some(isReading)) await sleep(10);
  const counted: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counted[name] = (counted[name] ?? 0) + 1;
  return { ...counted, TCPSocketWrap: (counted['TCPSocketWrap'] ?? 0) - connections };
}

const isReading = (name: string): boolean => name.startsWith('FSReq');

/** Of this house to its database, where that is a server. */
async function connectionsOf({ db }: Latchkey['ground']): Promise<number> {
  if (db.dialect.name === 'sqlite') return 0;
  const [[row]] = (await db.knex.raw(
    'SELECT COUNT(*) AS open FROM information_schema.processlist WHERE db = DATABASE()',
  )) as [[{ open: number }]];
  return row.open;
}

/**
 * Kept prepared by the server of the database, each connection its own; of SQLite's we keep so many by their text, and no more.
 */
async function statementsOf({ db }: Latchkey['ground']): Promise<number> {
  if (db.dialect.name === 'sqlite') return 0;
  const [[row]] = (await db.knex.raw("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")) as [
    [{ Value: string }],
  ];
  return Number(row.Value);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}
