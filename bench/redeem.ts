import { availableParallelism } from 'node:os';
import { openDatabase } from './database.ts';
import type { Ground, Place } from './ground.ts';
import type { Outcome } from './newcomers.ts';
import { mintKey } from './key.ts';
import { judge, median } from './report.ts';
import { runProgram } from './run-program.ts';

const SEATS = 250;
const NEWCOMERS = 300;
const ROUNDS = 3;
const BAR = 0.85;
/** Another class came in before them, so that the server's code is compiled, as it is on any day but the first. */
const EARLIER = 60;

interface Round {
  /** Accounts per second against the hashes per second measured right before and right after. */
  ratio: number;
  isExact: boolean;
}

/** 300 newcomers for 250 seats at once: exactly 250 accounts, about as fast as this machine can hash their passwords. */
export async function benchRedeem(ground: Ground): Promise<boolean> {
  const results: boolean[] = [];
  for (const place of await ground.places()) results.push(await redeemOn(ground, place));
  return results.every(Boolean);
}

async function redeemOn(ground: Ground, place: Place): Promise<boolean> {
  const server = await ground.start(place);
  const earlier = await mintKey(place, { maxUses: EARLIER });
  await welcome(server.url, earlier.key, { count: EARLIER, from: 0 });
  const rounds: Round[] = [];
  let raw = await rawHashes();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const before = raw;
    const { outcome, isExact } = await aClass(server.url, place, EARLIER + (round - 1) * NEWCOMERS);
    raw = await rawHashes();
    const rate = outcome.joined / outcome.seconds;
    const ratio = (2 * rate) / (before + raw);
    rounds.push({ ratio, isExact });
    console.log(
      `${place.engine}: ${String(outcome.joined)} joined in ${outcome.seconds.toFixed(1)} s (${rate.toFixed(1)}/s; argon2 alone ${before.toFixed(1)}/s before, ${raw.toFixed(1)}/s after: ${ratio.toFixed(2)}), refused ${JSON.stringify(outcome.refused)}`,
    );
  }
  await server.stop();

  const isExact = rounds.every((round) => round.isExact);
  console.log(`${isExact ? '✓' : '✗'} accounts on ${place.engine}: exactly ${String(SEATS)} each time`);
  const isQuick = judge({
    what: `accounts per second against argon2 alone, on ${place.engine}, median of ${String(ROUNDS)}`,
    value: median(rounds.map(({ ratio }) => ratio)),
    atLeast: BAR,
  });
  return isExact && isQuick;
}

async function aClass(
  url: string,
  place: Place,
  from: number,
): Promise<{ outcome: Outcome; isExact: boolean }> {
  const { id, key } = await mintKey(place, { maxUses: SEATS });
  const before = await countAccounts(place);
  const outcome = await welcome(url, key, { count: NEWCOMERS, from });
  const accounts = (await countAccounts(place)) - before;
  const isExact = accounts === SEATS && outcome.joined === SEATS && (await seatsTaken(place, id)) === SEATS;
  return { outcome, isExact };
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
