import { setTimeout as sleep } from 'node:timers/promises';
import type { Ground, Place } from './ground.ts';
import { readAgain, registered, type Registered } from './registered.ts';

const FEW = 100;
const MANY = Number(process.argv[3] ?? 10_000);
/** The 95th of a hundred among so few would be what the machine did besides. */
const ROUNDS = 160;
const WARM_UP = 20;
const BAR = 1.5;
const LOOP_BAR_MS = 50;

const asks = {
  'first page of Discover': '/admin/marketplace',
  'search for a common word': '/admin/marketplace?q=garden',
  'search for a rare word': '/admin/marketplace?q=publisher+42',
  'search for two words': '/admin/marketplace?q=school+survey',
  'filter by tag': '/admin/marketplace?tag=garden',
  'filter by offer': '/admin/marketplace?only=premium',
  'sorted by name': '/admin/marketplace?sort=name',
} as const;

/** Discover among a hundred and among ten thousand plugins, taking turns; and what a full reading of them does to the event loop. */
export async function benchCatalogue(ground: Ground): Promise<boolean> {
  const few = await ground.places();
  const many = await ground.places();
  const held: boolean[] = [];
  for (const [at, small] of few.entries()) {
    const big = many[at];
    if (big) held.push(await compare(ground, small, big));
  }
  return held.every(Boolean);
}

async function compare(ground: Ground, small: Place, big: Place): Promise<boolean> {
  const env = { NODE_OPTIONS: `--import=${new URL('bare/loop-delay.ts', import.meta.url).href}` };
  const few = await registered(ground, small, { plugins: FEW });
  const many = await registered(ground, big, { plugins: MANY, env });
  const bars = [await readingOf(many), ...(await pagesOf(few, many))];
  for (const { server, hub, owner } of [few, many]) {
    await owner.close();
    await server.stop();
    await hub.stop();
  }
  return bars.every(Boolean);
}

async function readingOf(house: Registered): Promise<boolean> {
  const { server, place } = house;
  await sleep(2_000);
  const from = server.logs.length;
  const took = await readAgain(house, MANY);
  await sleep(1_200);
  const computed = server.logs.slice(from).flatMap((line) => {
    const said = /computed ([\d.]+)/.exec(line)?.[1];
    return said === undefined ? [] : [Number(said)];
  });
  const longest = Math.max(...computed);
  const isHeld = longest <= LOOP_BAR_MS;
  console.log(
    `${isHeld ? '✓' : '✗'} reading ${String(MANY)} plugins on ${place.engine}: ${(took / 1000).toFixed(1)} s, in the longest stretch it computed ${longest.toFixed(0)} ms (bar: ${String(LOOP_BAR_MS)})`,
  );
  return isHeld;
}

async function pagesOf(few: Registered, many: Registered): Promise<boolean[]> {
  const times = new Map<string, [number[], number[]]>(Object.keys(asks).map((name) => [name, [[], []]]));
  for (let round = -WARM_UP; round < ROUNDS; round += 1)
    for (const [name, path] of Object.entries(asks))
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { owner } = at === 0 ? few : many;
        const began = performance.now();
        const { status } = await owner.get(path);
        if (status !== 200) throw new Error(`${path} answered ${String(status)}`);
        if (round >= 0) times.get(name)?.[at]?.push(performance.now() - began);
      }
  return [...times].map(([name, [one, other]]) => {
    const ratio = p95(other) / p95(one);
    const isHeld = ratio <= BAR;
    console.log(
      `${isHeld ? '✓' : '✗'} ${name} on ${few.place.engine}: p95 ${p95(one).toFixed(1)} ms among ${String(FEW)}, ${p95(other).toFixed(1)} ms among ${String(MANY)}: ${ratio.toFixed(2)} (bar: at most ${String(BAR)})`,
    );
    return isHeld;
  });
}

const p95 = (times: readonly number[]): number =>
  [...times].sort((one, other) => one - other)[Math.floor(times.length * 0.95)] ?? 0;
