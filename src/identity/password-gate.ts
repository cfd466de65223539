import argon2 from 'argon2';
import { UnavailableError } from '../shared/errors.ts';
import { hashing, type HashCost, type Hashing } from './hashing.ts';

export type Lane = 'redeem' | 'sign-in';

/** OWASP's minimum, said explicitly: the library's default takes three times as long. */
export const HASH_COST: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Of a password nobody has: checking it takes as long as checking a real one, so that an unknown address cannot be told by time. */
const NOBODYS_HASH =
  '$argon2id$v=19$m=19456,p=1,t=2$J63fBilrFzjzYWxWN4hlUw$UAsl4TVahFQfnwv3iC70vBhnZn9/91MQITQqNn8du40';

const MOST_BYTES = 1024;

interface Options {
  /** Who does the work. */
  hashing?: Hashing;
  /** Let in at once. */
  slots?: number;
  /** How many may wait to sign in, and how long. */
  queue?: number;
  waitMs?: number;
  cost?: HashCost;
}

interface Waiting {
  start: () => void;
}

/**
 * Hashing is the dearest thing a stranger can ask for, so it stands behind a gate. People who redeem a key that has passed its check wait their
 * turn however long the line is (a class of three hundred is normal); everybody else waits two seconds in a short line. The two take turns.
 */
export class PasswordGate {
  readonly #hashing: Hashing;
  readonly #slots: number;
  readonly #queue: number;
  readonly #waitMs: number;
  readonly #cost: HashCost;
  readonly #lines: Record<Lane, Waiting[]> = { redeem: [], 'sign-in': [] };
  #busy = 0;
  #lastServed: Lane = 'redeem';

  constructor({
    hashing: own = hashing,
    slots = own.wants,
    queue = 20,
    waitMs = 2_000,
    cost = HASH_COST,
  }: Options = {}) {
    this.#hashing = own;
    this.#slots = slots;
    this.#queue = queue;
    this.#waitMs = waitMs;
    this.#cost = cost;
  }

  /** How many wait; shown by `/metrics`. */
  get waiting(): Record<Lane, number> {
    return { redeem: this.#lines.redeem.length, 'sign-in': this.#lines['sign-in'].length };
  }

  async hash(password: string, { lane }: { lane: Lane }): Promise<string> {
    return this.#through(lane, () => this.#hashing.hash(password, this.#cost));
  }

  /** Compares with `hash`, or with nobody's when there is none: the same work and then no. */
  async verify(
    hash: string | null,
    password: string,
    { lane = 'sign-in' }: { lane?: Lane } = {},
  ): Promise<boolean> {
    if (Buffer.byteLength(password) > MOST_BYTES) return false;
    const same = await this.#through(lane, () => this.#hashing.verify(hash ?? NOBODYS_HASH, password));
    return same && hash !== null;
  }

  /** Whether `hash` was made with other parameters than today's and should be made again while the password is at hand. */
  isOutdated(hash: string): boolean {
    return !hash.startsWith('$argon2id$') || argon2.needsRehash(hash, this.#cost);
  }

  async #through<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    await this.#enter(lane);
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#letNextIn();
    }
  }

  async #enter(lane: Lane): Promise<void> {
    if (this.#busy < this.#slots) {
      this.#busy += 1;
      this.#lastServed = lane;
      return;
    }
    if (lane === 'redeem') await this.#waitInLine(lane);
    else await this.#waitABit(lane);
  }

  #waitInLine(lane: Lane): Promise<void> {
    return new Promise((resolve) => {
      this.#lines[lane].push({ start: resolve });
    });
  }

  #waitABit(lane: Lane): Promise<void> {
    const line = this.#lines[lane];
    if (line.length >= this.#queue) throw new UnavailableError('password.busy', { retryAfter: 2 });
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start: () => {
          clearTimeout(patience);
          resolve();
        },
      };
      const patience = setTimeout(() => {
        line.splice(line.indexOf(waiting), 1);
        reject(new UnavailableError('password.busy', { retryAfter: 2 }));
      }, this.#waitMs);
      line.push(waiting);
    });
  }

  #letNextIn(): void {
    const other: Lane = this.#lastServed === 'redeem' ? 'sign-in' : 'redeem';
    const lane = this.#lines[other].length > 0 ? other : this.#lastServed;
    const next = this.#lines[lane].shift();
    if (!next) return;
    this.#busy += 1;
    this.#lastServed = lane;
    next.start();
  }
}
