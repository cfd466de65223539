import { urlOfSchema } from '../test/support/database-names.ts';
import { galeraIsInstalled, startGalera, type Galera } from '../test/support/galera.ts';
import { furnish, MASTER_KEY } from '../test/support/house.ts';
import { HttpClient } from '../test/support/http-client.ts';
import { executeOn } from '../test/support/mysql-schemas.ts';
import type { TestServer } from '../test/support/server-process.ts';
import { openDatabase } from './database.ts';
import type { Ground, Place } from './ground.ts';
import { mintKey } from './key.ts';
import type { Outcome } from './newcomers.ts';
import { judge, median } from './report.ts';
import { runProgram } from './run-program.ts';

const SEATS = 250;
const NEWCOMERS = 300;
const ROUNDS = 5;
const MOST_RETRIES = 400;
const BAR = 0.8;

interface Run {
  perSecond: number;
  retries: number;
  isExact: boolean;
}

/**
 * 300 newcomers for 250 seats through three servers on three Galera nodes, beside the same through one server on one node of the same
 * cluster; rounds take turns, on the same cores.
 */
export async function benchClusterRedeem(ground: Ground): Promise<boolean> {
  if (!galeraIsInstalled()) {
    console.log('Galera is not installed: nothing was measured');
    return false;
  }
  const galera = await startGalera();
  try {
    return await compare(ground, galera);
  } finally {
    await galera.stop();
  }
}

async function compare(ground: Ground, galera: Galera): Promise<boolean> {
  const places = await placesOf(ground, galera);
  const [first] = places;
  if (!first) return false;
  const servers: TestServer[] = [];
  for (const place of places) servers.push(await ground.start(place));
  await race(first, servers, 'warm-up');

  const [one, three]: [Run[], Run[]] = [[], []];
  for (let round = 1; round <= ROUNDS; round += 1) {
    one.push(await race(first, servers.slice(0, 1), `round ${String(round)}, one node`));
    three.push(await race(first, servers, `round ${String(round)}, three nodes`));
  }

  const worst = Math.max(...three.map(({ retries }) => retries));
  const isExact = [...one, ...three].every((run) => run.isExact);
  console.log(`${isExact ? '✓' : '✗'} exactly ${String(SEATS)} accounts each time`);
  console.log(
    `${worst <= MOST_RETRIES ? '✓' : '✗'} retries with three nodes: at most ${String(worst)} (bar: ${String(MOST_RETRIES)})`,
  );
  const isQuick = judge({
    what: `accounts per second on three nodes (${spread(three)}) against one (${spread(one)})`,
    value: rate(three) / rate(one),
    atLeast: BAR,
  });
  return isExact && worst <= MOST_RETRIES && isQuick;
}

const rate = (runs: readonly Run[]): number => median(runs.map(({ perSecond }) => perSecond));

const spread = (runs: readonly Run[]): string => {
  const rates = runs.map(({ perSecond }) => perSecond);
  return `${Math.min(...rates).toFixed(1)} to ${Math.max(...rates).toFixed(1)}`;
};

async function placesOf(ground: Ground, galera: Galera): Promise<Place[]> {
  const schema = 'latchkey_bench';
  await executeOn(galera.nodes[0].url, `CREATE DATABASE ${schema}`);
  await furnish(urlOfSchema(galera.nodes[0].url, schema), await ground.folder('data'));
  return Promise.all(
    galera.nodes.map(async ({ url }): Promise<Place> => ({
      engine: 'MariaDB',
      databaseUrl: urlOfSchema(url, schema),
      dataDir: await ground.folder('data'),
      env: { LATCHKEY_KEY: MASTER_KEY },
    })),
  );
}

/** Nobody comes twice. */
let seen = 0;

/** A class comes, split over the servers, each part from a process of its own. */
async function race(place: Place, servers: readonly TestServer[], what: string): Promise<Run> {
  const { id, key } = await mintKey(place, { maxUses: SEATS });
  const part = NEWCOMERS / servers.length;
  const before = seen;
  seen += NEWCOMERS;
  const retriesBefore = await retriesOf(servers);
  const began = performance.now();
  const outcomes = (await Promise.all(
    servers.map(({ url }, at) =>
      runProgram('bench/newcomers.ts', [url, key, String(part), String(before + at * part)]),
    ),
  )) as Outcome[];
  const wall = (performance.now() - began) / 1000;
  const retries = (await retriesOf(servers)) - retriesBefore;
  const joined = outcomes.reduce((sum, outcome) => sum + outcome.joined, 0);
  const seconds = Math.max(...outcomes.map((outcome) => outcome.seconds));
  const isExact = joined === SEATS && (await peopleOf(place, id)) === SEATS;
  const refused = JSON.stringify(outcomes.map((outcome) => outcome.refused));
  console.log(
    `${what}: ${String(joined)} joined in ${seconds.toFixed(2)} s (${wall.toFixed(1)} s in all), ${String(retries)} retries, refused ${refused}`,
  );
  return { perSecond: joined / seconds, retries, isExact };
}

/** Accounts that hold a seat of this key. */
const peopleOf = (place: Place, keyId: string): Promise<number> =>
  openDatabase(place, async ({ knex }) => {
    const rows = await knex('invite_redemption')
      .join('users', 'users.id', 'invite_redemption.user_id')
      .where({ key_id: keyId })
      .select('users.id');
    return rows.length;
  });

/** What the servers themselves count, as their metrics tell it. */
async function retriesOf(servers: readonly TestServer[]): Promise<number> {
  let sum = 0;
  for (const { url } of servers) sum += await metricOf(url, 'latchkey_transaction_retries');
  return sum;
}

async function metricOf(url: string, name: string): Promise<number> {
  const program = new HttpClient(url);
  const { status, text } = await program.get('/metrics');
  await program.close();
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`${url} answered ${String(status)} and did not tell ${name}`);
  return Number(value);
}
