import type { Database, Tx } from '../db/database.ts';
import { nextNumber } from '../db/sequences.ts';

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
    return this.#kept.shift() ?? takeOne(tx);
  }
}

async function takeOne(tx: Tx): Promise<number> {
  await tx.knex('sequences').insert({ name: SEQUENCE, next: 1 }).onConflict('name').ignore();
  await tx
    .knex('sequences')
    .where({ name: SEQUENCE })
    .update({ next: tx.knex.raw('?? + 1', ['next']) });
  const { next } = (await tx.knex('sequences').first('next').where({ name: SEQUENCE })) as { next: unknown };
  return Number(next) - 1;
}
