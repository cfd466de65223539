import type { Database, Tx } from '../db/database.ts';
import { nextNumber, nextNumberIn } from '../db/sequences.ts';

const SEQUENCE = 'users';
const MOST_KEPT = 50;

/**
 * Numbers at hand for accounts that are written inside somebody else's transaction, where no block can be reserved.
 * Each account is prepared before it is written, and preparing brings its number.
 */
export class UserNumbers {
  readonly #db: Database;
  readonly #kept: number[] = [];

  constructor(db: Database) {
    this.#db = db;
  }

  /** Outside transactions. */
  async bring(): Promise<void> {
    if (this.#kept.length < MOST_KEPT) this.#kept.push(await nextNumber(this.#db, SEQUENCE));
  }

  /** Inside one. Without a number at hand it takes the next from the row, and others wait for this transaction. */
  async take(tx: Tx): Promise<number> {
    return this.#kept.shift() ?? nextNumberIn(tx, SEQUENCE);
  }
}
