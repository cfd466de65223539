import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import argon2 from 'argon2';

export interface HashCost {
  memoryCost: number;
  timeCost: number;
  parallelism: number;
}

/** What does the work behind the gate. */
export interface Hashing {
  hash(password: string, cost: HashCost): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
  /** How many it wants at once to be busy all the time. */
  readonly wants: number;
}

/** More at once than there are cores would only push each other out of their caches: measured, a tenth slower each. */
export const HASHED_AT_ONCE = availableParallelism();

const SALT_BYTES = 16;

/** In the threads that the runtime keeps for such work. */
export const hashing: Hashing = {
  wants: HASHED_AT_ONCE,
  // Left to itself the library fetches its salt from those same threads, and so waits behind other people's hashes.
  hash: (password, cost) =>
    argon2.hash(password, { type: argon2.argon2id, ...cost, salt: randomBytes(SALT_BYTES) }),
  verify: (hash, password) => argon2.verify(hash, password),
};
