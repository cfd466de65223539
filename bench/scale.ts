import { Database } from '../src/db/database.ts';
import { HttpClient } from '../test/support/http-client.ts';
import type { TestServer } from '../test/support/server-process.ts';
import type { Ground, Place } from './ground.ts';
import { mintKey, ownersToken } from './key.ts';
import { fillWithKeys } from './scale-fill.ts';

const FEW = 1_000;
/** `npm run bench -- scale 20000` tries it out; `npm run bench -- scale 1000000 MariaDB` measures one engine. */
const MANY = Number(process.argv[3] ?? 1_000_000);
const ENGINE = process.argv[4];
const ROUNDS = 200;
const WARM_UP = 30;
const BAR = 1.5;

/** Key look-up, lists, search and redemptions among a thousand and among a million: p95 of each, a server beside the other, rounds taking turns. */
export async function benchScale(ground: Ground): Promise<boolean> {
  const results: boolean[] = [];
  const few = await ground.places();
  const many = await ground.places();
  for (const [at, small] of few.entries()) {
    const big = many[at];
    if (big && (ENGINE ?? small.engine) === small.engine) results.push(await compare(ground, small, big));
  }
  return results.every(Boolean);
}

interface Side {
  client: HttpClient;
  server: TestServer;
  asks: Map<string, () => Promise<unknown>>;
  times: Map<string, number[]>;
}

async function compare(ground: Ground, small: Place, big: Place): Promise<boolean> {
  const [few, many] = [await openSide(ground, small, FEW), await openSide(ground, big, MANY)];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const side of [few, many]) {
      for (const [name, ask] of side.asks) {
        const began = performance.now();
        await ask();
        if (round >= 0) side.times.get(name)?.push(performance.now() - began);
      }
    }
  }
  for (const { server, client } of [few, many]) {
    await client.close();
    await server.stop();
  }
  return [...few.asks.keys()].map((name) => judged(name, small.engine, few, many)).every(Boolean);
}

function judged(name: string, engine: string, few: Side, many: Side): boolean {
  const [one, other] = [p95(few.times.get(name) ?? []), p95(many.times.get(name) ?? [])];
  const ratio = other / one;
  const isReached = ratio <= BAR;
  console.log(
    `${isReached ? '✓' : '✗'} ${name} on ${engine}: p95 ${one.toFixed(1)} ms among ${String(FEW)}, ${other.toFixed(1)} ms among ${String(MANY)}: ${ratio.toFixed(2)} (bar: at most ${String(BAR)})`,
  );
  return isReached;
}

const p95 = (times: readonly number[]): number =>
  [...times].sort((one, other) => one - other)[Math.floor(times.length * 0.95)] ?? 0;

async function openSide(ground: Ground, place: Place, count: number): Promise<Side> {
  const { id, key } = await mintKey(place, { maxUses: 100 });
  const began = performance.now();
  const db = Database.open(place.databaseUrl, { poolSize: 1 });
  const busiest = await fillWithKeys(db, id, count);
  await db.close();
  console.log(
    `${place.engine}: ${String(count)} keys and as many redemptions written in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  const server = await ground.start(place);
  const client = new HttpClient(server.url);
  client.headers.set('authorization', `Bearer ${await ownersToken(place)}`);
  const get = (path: string) => async (): Promise<void> => {
    const answer = await client.call('GET', path);
    if (answer.status !== 200) throw new Error(`${path} answered ${String(answer.status)}: ${answer.text}`);
  };
  const list = '/api/v1/invitation-keys';
  const asks = new Map<string, () => Promise<unknown>>([
    ['key look-up', () => client.call('POST', `${list}/check`, { key })],
    ['key list', get(list)],
    ['key list, page 20', get(`${list}?page=20`)],
    ['key list, active', get(`${list}?status=active`)],
    ['key list, finished', get(`${list}?status=finished`)],
    ['key list, scheduled', get(`${list}?status=scheduled`)],
    ['search for a common word', get(`${list}?search=physics`)],
    ['search for a rare word', get(`${list}?search=batch00000600`)],
    ['search for two words among the active', get(`${list}?status=active&search=physics+term`)],
    ['redemption list', get(`${list}/${busiest}/redemptions`)],
    ['redemption list, page 20', get(`${list}/${busiest}/redemptions?page=20`)],
  ]);
  return { server, client, asks, times: new Map([...asks.keys()].map((name) => [name, []])) };
}
