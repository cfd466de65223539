import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import semver from 'semver';
import { afterAll, expect, test } from 'vitest';
import { prefixOf, readManifest } from '../plugin-host/index.ts';
import { system } from '../shared/actor.ts';
import { afterwards } from './cleanup.ts';
import { injectFaults, slowDown } from './faults.ts';
import { Reach } from './reach.ts';
import { createTestHost, type TestHost, type TestNode } from './test-host.ts';

/**
 * What `latchkey plugin test --torture` does to a plugin. Each test is a promise that a plugin keeps without doing anything for it,
 * and says in a sentence what it did instead.
 */
const plugin = process.env['LATCHKEY_TORTURED'] ?? '';
const cycles = Number(process.env['LATCHKEY_TORTURE_CYCLES'] ?? 50);
const manifest = await readManifest(plugin);
const id = manifest.id;
const FOLLOWS_WITHIN_MS = 5_000;
const MOST_GROWTH_MB = 4;
const MISSED_SHOWN = 8;

/** What `test/torture.ts` of the plugin exports: puts people and things there without which its code returns at once. */
const own = pathToFileURL(join(plugin, 'test/torture.ts'));
const { prepare } = (existsSync(own) ? await import(own.href) : {}) as {
  prepare?: (host: TestHost) => Promise<void>;
};
/** Promises that nothing put to the test. */
const unjudged: string[] = [];
const reach = new Reach();
await reach.begin();

async function start(config: Record<string, string> = {}): Promise<TestHost> {
  const host = await createTestHost({ plugin, config });
  if (config['SAFE_MODE'] === undefined) await prepare?.(host);
  return host;
}

afterAll(async () => {
  const { lines, reached, missed } = await reach.of(plugin);
  const share = lines === 0 ? 100 : Math.floor((100 * reached) / lines);
  const words = [
    `This reached ${String(share)} % of the code of ${id} (${String(reached)} of ${String(lines)} lines).`,
  ];
  if (missed.length > 0) {
    const [some, more] = [missed.slice(0, MISSED_SHOWN), missed.length - MISSED_SHOWN];
    words.push(
      `Not reached, and so not judged: ${some.join(', ')}${more > 0 ? `, ${String(more)} more` : ''}.`,
    );
    if (!prepare) words.push('test/torture.ts, which exports prepare(host), puts there what it needs.');
  }
  console.log([...unjudged, ...words].join('\n'));
});

/** The helpdesk goes about its day; answers what it could not do. */
async function aDay({ given, as, house, settle }: TestHost): Promise<string[]> {
  const troubles: string[] = [];
  const must = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) => troubles.push(`${what}: ${wordsOf(error)}`));
  };
  const { tickets, users } = house.domains;
  await must('A ticket cannot be opened', async () => {
    const { ticket } = await given.ticket();
    const helper = await users.actorOf((await given.technician()).id);
    if (!helper) return;
    const { number } = ticket;
    await tickets.followUps.add(helper, number, { body: 'Looking into it.', visibility: 'public' });
    await tickets.solutions.propose(helper, number, { body: 'Done.' });
  });
  const technician = as(await given.technician());
  for (const path of ['/', '/tickets', '/tickets?status=all&q=printer', '/account/profile'])
    await must(`${path} does not open`, async () => {
      const { status } = await technician.get(path);
      if (status >= 500) throw new Error(`it answers ${String(status)}`);
    });
  await must('Events are not delivered', settle);
  return troubles;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

test(`${id} is enabled and disabled ${String(cycles)} times, and nothing of it is left`, async () => {
  const host = await start();
  await host.expectCleanUnload({ cycles: 3 });
  const before = heapMb();
  await host.expectCleanUnload({ cycles });
  const growthMb = heapMb() - before;
  const allowedMb = MOST_GROWTH_MB + cycles / 50;
  expect(growthMb, `it keeps ${growthMb.toFixed(1)} MB after ${String(cycles)} cycles`).toBeLessThan(
    allowedMb,
  );
});

/** After everything that can go has gone. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 1_048_576;
}

for (const [fault, words] of [
  ['throws', 'throws'],
  ['hangs', 'never answers'],
] as const)
  test(`${id} ${words} in every hook, and only what it guards is refused`, async () => {
    const host = await start();
    const faults = injectFaults(host.house.ground.hooks, id);
    await host.disable();
    await host.enable();
    faults.is = fault;
    const refusing = closedHooksOf(host);

    const troubles = await aDay(host);

    faults.is = 'none';
    if (refusing.length === 0) expect(troubles, 'the helpdesk stood still with it').toEqual([]);
  });

/** Hooks that refuse when a listener fails: that is what they are for. */
const closedHooksOf = ({ house }: TestHost): string[] =>
  house.ground.hooks
    .catalogue()
    .filter(({ failure, listeners }) => failure === 'closed' && listeners.some(({ owner }) => owner === id))
    .map(({ name }) => name);

test(`${id} is told everything twice, and does nothing twice`, async () => {
  const host = await start();
  const faults = injectFaults(host.house.ground.hooks, id);
  await host.disable();
  await host.enable();
  const grownBy = async (): Promise<Record<string, number>> => {
    const before = await rowsOf(host);
    await aDay(host);
    const after = await rowsOf(host);
    return Object.fromEntries(
      Object.entries(after).map(([name, rows]) => [name, rows - (before[name] ?? 0)]),
    );
  };

  const once = await grownBy();
  faults.is = 'twice';
  const twice = await grownBy();

  if (Object.values(once).every((rows) => rows === 0) && listensToEvents(host))
    unjudged.push(
      `${id} wrote nothing when it was told of things: whether it would do so twice is not judged.`,
    );
  for (const [table, rows] of Object.entries(twice))
    expect(
      rows,
      `events come at least once, and what is told twice is written twice to ${table}: use delivery.once`,
    ).toBeLessThanOrEqual(once[table] ?? 0);
});

const listensToEvents = ({ house }: TestHost): boolean =>
  house.ground.hooks
    .catalogue()
    .some(({ kind, listeners }) => kind === 'event' && listeners.some(({ owner }) => owner === id));

test(`${id} has a slow database, and is not ended for it`, async () => {
  const host = await start();
  const atFullSpeed = slowDown(host.house.ground.db, 150);

  const troubles = await aDay(host);
  for (const job of manifest.jobs) await host.runJob(job.id);
  atFullSpeed();

  expect(troubles).toEqual([]);
  expect(await host.house.plugins.find(id, 'en')).toMatchObject({ state: 'enabled' });
});

test(`${id} has every job run twice in a row`, async () => {
  const host = await start();
  await aDay(host);

  for (const job of [...manifest.jobs, ...manifest.jobs])
    await host.runJob(job.id).catch((cause: unknown) => {
      throw new Error(`the job ${job.id} failed: ${wordsOf(cause)}`, { cause });
    });
});

test(`${id} opens each of its pages, to those who may`, async () => {
  const host = await start();
  await aDay(host);
  const pages = host.house.routes
    .all()
    .filter(({ owner, route }) => owner === id && route.method === 'get' && !route.path.includes(':'));
  const owner = await host.given.owner();
  for (const { route } of pages) {
    const client = route.path.startsWith('/api/') ? host.api(owner) : host.as(owner);
    const { status } = await client.get(route.path);
    expect(status, `${route.path} answers ${String(status)} to an administrator`).toBeLessThan(500);
    if (route.access === 'public') continue;
    const stranger = await host.guest().send(route.path, { method: 'GET' });
    expect(stranger.status, `${route.path} opens to somebody who has not signed in`).toBeGreaterThan(299);
  }
});

test(`${id} runs on two servers, and is gone from both when it is disabled on one`, async () => {
  const host = await start();
  const other = await host.secondNode();
  await follows(other, 'enabled');

  await host.disable();

  await follows(other, 'disabled');
  const left = other.house.routes.all().filter(({ owner }) => owner === id);
  expect(
    left.map(({ route }) => route.path),
    'the other server still answers',
  ).toEqual([]);
});

async function follows({ house }: TestNode, wanted: string): Promise<void> {
  const deadline = Date.now() + FOLLOWS_WITHIN_MS;
  for (;;) {
    const { state, error } = await house.plugins.find(id, 'en');
    if (state === wanted) return;
    if (Date.now() > deadline)
      throw new Error(
        `the other server has it ${state} after ${String(FOLLOWS_WITHIN_MS)} ms: ${error ?? ''}`,
      );
    await sleep(100);
  }
}

test(`${id} is updated, and taken back`, async () => {
  const host = await createTestHost({ plugin, packed: true });
  await prepare?.(host);
  const later = await mkdtemp(join(tmpdir(), 'latchkey-later-'));
  afterwards(() => rm(later, { recursive: true, force: true }));
  const folder = join(later, basename(plugin));
  await cp(plugin, folder, {
    recursive: true,
    filter: (path) => !/\/(\.latchkey|node_modules)(\/|$)/.test(path),
  });
  const facts = JSON.parse(await readFile(join(folder, 'plugin.json'), 'utf8')) as object;
  const next = semver.inc(manifest.version, 'patch');
  await writeFile(join(folder, 'plugin.json'), JSON.stringify({ ...facts, version: next }));

  await host.upgrade(folder);
  expect(await aDay(host)).toEqual([]);
  await host.rollback();

  expect(await host.house.plugins.find(id, 'en')).toMatchObject({
    state: 'enabled',
    version: manifest.version,
  });
}, 60_000);

test(`${id} is deleted with its data, and no table of it is left; enabled again, it begins anew`, async () => {
  const host = await start();
  await aDay(host);

  await host.disable();
  await host.house.plugins.purge(system, id);

  expect(
    Object.keys(await rowsOf(host)),
    'its migrations do not take back (down) all that they make',
  ).toEqual([]);
  await host.enable();
});

test(`${id} stays out of a start in safe mode`, async () => {
  const { guest, house } = await start({ SAFE_MODE: '1' });

  expect((await guest().get('/healthz')).status).toBe(200);
  expect(house.routes.all().filter(({ owner }) => owner === id)).toEqual([]);
});

/** Of each table with its prefix. */
async function rowsOf({ house }: TestHost): Promise<Record<string, number>> {
  const { knex } = house.ground.db;
  const tables: { name: string }[] = await knex('sqlite_master').where({ type: 'table' }).select('name');
  const own = tables.filter(({ name }) => name.startsWith(prefixOf(manifest)));
  const counted = await Promise.all(
    own.map(async ({ name }) => {
      const rows: { total: number }[] = await knex(name).count({ total: '*' });
      return [name, rows[0]?.total ?? 0] as const;
    }),
  );
  return Object.fromEntries(counted);
}
