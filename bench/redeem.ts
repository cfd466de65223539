import { availableParallelism } from 'node:os';
import { openDatabase } from './database.ts';
import type { Ground, Place } from './ground.ts';
import type { Outcome } from './newcomers.ts';
import { mintKey } from './key.ts';
import { judge } from './report.ts';
import { runProgram } from './run-program.ts';

const SEATS = 250;
const NEWCOMERS = 300;
const BAR = 0.85;
/** Another class came in before them, so that the server's code is compiled, as it is on any day but the first. */
const EARLIER = 60;

/** 300 newcomers for 250 seats at once: exactly 250 accounts, about as fast as this machine can hash their passwords. */
export async function benchRedeem(ground: Ground): Promise<boolean> {
  const results: boolean[] = [];
  for (const place of await ground.places()) results.push(await redeemOn(ground, place));
  return results.every(Boolean);
}

async function redeemOn(ground: Ground, place: Place): Promise<boolean> {
  const server = await ground.start(place);
  const { id, key } = await mintKey(place, { maxUses: SEATS });
  await welcome(server.url, (await mintKey(place, { maxUses: EARLIER })).key, {
    count: EARLIER,
    from: NEWCOMERS,
  });
  const accountsBefore = await countAccounts(place);

  const rawBefore = await rawHashes();
  const outcome = await welcome(server.url, key, { count: NEWCOMERS, from: 0 });
  const rawAfter = await rawHashes();
  await server.stop();

  const accounts = (await countAccounts(place)) - accountsBefore;
  const raw = (rawBefore + rawAfter) / 2;
  const rate = outcome.joined / outcome.seconds;
  console.log(
    `${place.engine}: ${String(outcome.joined)} joined in ${outcome.seconds.toFixed(1)} s (${rate.toFixed(1)}/s; argon2 alone ${raw.toFixed(1)}/s), refused ${JSON.stringify(outcome.refused)}`,
  );
  const isExact = accounts === SEATS && outcome.joined === SEATS && (await seatsTaken(place, id)) === SEATS;
  console.log(
    `${isExact ? '✓' : '✗'} accounts on ${place.engine}: ${String(accounts)} (bar: exactly ${String(SEATS)})`,
  );
  const isQuick = judge({
    what: `accounts per second against argon2 alone, on ${place.engine}`,
    value: rate / raw,
    atLeast: BAR,
  });
  return isExact && isQuick;
}

const welcome = async (
  url: string,
  key: string,
  { count, from }: { count: number; from: number },
): Promise<Outcome> =>
  (await runProgram('bench/newcomers.ts', [url, key, String(count), String(from)])) as Outcome;

async function rawHashes(): Promise<number> {
  const { perSecond } = (await runProgram('bench/bare/argon2.ts', [String(SEATS / 2)], {
    UV_THREADPOOL_SIZE: String(availableParallelism() + 4),
  })) as { perSecond: number };
  return perSecond;
}

const countAccounts = (place: Place): Promise<number> =>
  openDatabase(place, async (db) => (await db.knex('users').select('id')).length);

const seatsTaken = (place: Place, keyId: string): Promise<number> =>
  openDatabase(place, async (db) => {
    const row = await db.knex('invite_key').where({ id: keyId }).first<{ uses: number } | undefined>('uses');
    return row?.uses ?? 0;
  });
