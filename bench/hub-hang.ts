import type { HttpClient } from '../test/support/http-client.ts';
import type { TestServer } from '../test/support/server-process.ts';
import type { Ground } from './ground.ts';
import { registered, signedIn, type Registered } from './registered.ts';
import { median } from './report.ts';
import { runProgram } from './run-program.ts';

const ROUNDS = 10;
const SECONDS = '1';
const PLUGINS = 100;
const BAR = 1.1;
const MARKETPLACE_BAR = 1.2;
const MARKETPLACE_ASKS = 12;

const HEALTHY = 'a healthy hub';

const pages = [
  '/',
  '/tickets',
  '/tickets/new',
  '/notifications',
  '/account',
  '/admin/settings',
  '/admin/plugins',
  '/admin/audit',
  '/admin/categories',
  '/admin/users',
];

/** How a hub can fail, and how it is made to. */
const troubles: Record<string, (hub: TestServer) => Promise<void> | void> = {
  'a black hole': (hub) => {
    hub.freeze();
  },
  dripping: (hub) => turn(hub, 'dripping'),
  garbage: (hub) => turn(hub, 'garbage'),
};

interface Side {
  name: string;
  server: TestServer;
  owner: HttpClient;
  house: Registered | null;
  p99: number[];
  marketplace: number[];
}

/** Ten pages under load, in houses that differ in nothing but their hub, taking turns; two of them have none, to see what chance does. */
export async function benchHubHang(ground: Ground): Promise<boolean> {
  const sides: Side[] = [];
  for (const name of ['no hub', 'no hub either']) {
    const server = await ground.start(await ground.place());
    sides.push({ name, server, owner: await signedIn(server), house: null, p99: [], marketplace: [] });
  }
  for (const name of [HEALTHY, ...Object.keys(troubles)]) {
    const house = await registered(ground, await ground.place(), { plugins: PLUGINS });
    await troubles[name]?.(house.hub);
    sides.push({ name, ...house, house, p99: [], marketplace: [] });
  }
  for (let round = -1; round < ROUNDS; round += 1) for (const side of sides) await measure(side, round >= 0);
  for (const { house } of sides) house?.hub.thaw();
  return judged(sides);
}

/** While the background waits for the hub, which it was just told to ask. */
async function measure({ server, owner, house, ...times }: Side, counts: boolean): Promise<void> {
  if (house) {
    await owner.submit('/admin/network', {}, { action: '/admin/network/check' });
    await owner.submit('/admin/marketplace', {}, { action: '/admin/marketplace/refresh' });
  }
  const cookie = [...owner.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  if (counts) await askForShelf({ owner, house, ...times });
  // Healthy it is only the measure for its own shelf.
  if (times.name === HEALTHY) return;
  const args = [server.url, cookie, SECONDS, JSON.stringify(pages)];
  const { p99, failures } = (await runProgram('bench/load.ts', args)) as { p99: number; failures: number };
  if (failures > 0) throw new Error(`${String(failures)} requests failed`);
  if (counts) times.p99.push(p99);
}

async function askForShelf({
  owner,
  house,
  marketplace,
}: Omit<Side, 'name' | 'server' | 'p99'>): Promise<void> {
  for (let at = 0; house && at < MARKETPLACE_ASKS; at += 1) {
    const began = performance.now();
    const { status } = await owner.get('/admin/marketplace');
    if (status !== 200) throw new Error(`The marketplace answered ${String(status)}`);
    marketplace.push(performance.now() - began);
  }
}

function judged(sides: readonly Side[]): boolean {
  const [none, twin, healthy, ...ill] = sides;
  if (!none || !twin || !healthy) return false;
  const chance = Math.abs(ratioOf(twin.p99, none.p99) - 1);
  console.log(
    `p99 of ten pages without a hub: ${median(none.p99).toFixed(0)} ms; beside its twin ${(chance * 100).toFixed(0)} % apart`,
  );
  return ill
    .map(({ name, p99, marketplace }) => {
      const [pages99, shelf] = [ratioOf(p99, none.p99), median(marketplace) / median(healthy.marketplace)];
      const isHeld = pages99 <= BAR + chance && shelf <= MARKETPLACE_BAR;
      console.log(
        `${isHeld ? '✓' : '✗'} ${name}: p99 ${median(p99).toFixed(0)} ms, ${pages99.toFixed(2)} of that without a hub (bar: ${(BAR + chance).toFixed(2)}); ` +
          `the marketplace in ${median(marketplace).toFixed(1)} ms, ${shelf.toFixed(2)} of its healthy time (bar: ${String(MARKETPLACE_BAR)})`,
      );
      return isHeld;
    })
    .every(Boolean);
}

/** Round by round, so that what slows the machine down for a while slows both. */
const ratioOf = (times: readonly number[], others: readonly number[]): number =>
  median(times.map((time, at) => time / (others[at] ?? time)));

async function turn(hub: TestServer, mode: string): Promise<void> {
  await fetch(`${hub.url}/mode`, { method: 'POST', body: mode });
}
