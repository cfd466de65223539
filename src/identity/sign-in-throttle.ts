import type { Database } from '../db/database.ts';
import { digestOf } from '../crypto/digest.ts';
import type { Clock } from '../shared/clock.ts';
import { TooManyError } from '../shared/errors.ts';

interface Deps {
  db: Database;
  clock: Clock;
}

/** After so many free tries each next one waits: 1, 2, 4 … 60 seconds. Nobody is locked out for good. */
const FREE_TRIES = 5;
const LONGEST_WAIT_MS = 60_000;
const FORGOTTEN_AFTER_MS = 60 * 60_000;

/**
 * Counts before the password is looked at, in one statement, so that two hundred tries at once are two hundred tries.
 * The bucket is the account and the network together: a stranger elsewhere cannot slow its owner down.
 */
export class SignInThrottle {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** @throws {TooManyError} `sign-in.slow-down` with the seconds to wait. */
  async count(account: string, network: string): Promise<void> {
    const { db, clock } = this.#deps;
    const bucket = bucketOf(account, network);
    const now = clock.now();
    const wait = await db.transaction(async (tx) => {
      const row = tx.knex('sign_in_tries').where({ bucket });
      await row
        .clone()
        .where('last_at', '<', now - FORGOTTEN_AFTER_MS)
        .delete();
      await tx
        .knex('sign_in_tries')
        .insert({ bucket, tries: 0, next_at: 0, last_at: now })
        .onConflict('bucket')
        .ignore();
      const counted = await row
        .clone()
        .where('next_at', '<=', now)
        .update({ tries: tx.knex.raw('tries + 1'), last_at: now });
      const { tries, next_at: nextAt } = (await tx
        .knex('sign_in_tries')
        .first('tries', 'next_at')
        .where({ bucket })) as { tries: unknown; next_at: unknown };
      if (counted === 0) return Number(nextAt) - now;
      await row.clone().update({ next_at: now + waitAfter(Number(tries)) });
      return 0;
    });
    if (wait > 0)
      throw new TooManyError('sign-in.slow-down', {
        retryAfter: Math.ceil(wait / 1000),
        params: { seconds: Math.ceil(wait / 1000) },
      });
  }

  /** The right password was given: what came before it is forgotten. */
  async forget(account: string, network: string): Promise<void> {
    const bucket = bucketOf(account, network);
    await this.#deps.db.transaction((tx) => tx.knex('sign_in_tries').where({ bucket }).delete());
  }

  async sweep(): Promise<void> {
    const { db, clock } = this.#deps;
    const before = clock.now() - FORGOTTEN_AFTER_MS;
    await db.transaction((tx) => tx.knex('sign_in_tries').where('last_at', '<', before).delete());
  }
}

export const waitAfter = (tries: number): number =>
  tries < FREE_TRIES ? 0 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (tries - FREE_TRIES));

const bucketOf = (account: string, network: string): Buffer => digestOf(`sign-in|${account}|${network}`);
