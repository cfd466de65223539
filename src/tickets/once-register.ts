import type { Queryable } from '../db/database.ts';
import { findMade, type Made, type Once } from './once-repository.ts';

/** Calls that are repeated until they are answered, and must not do twice what they did once. */
export class OnceRegister {
  readonly #db: Queryable;

  constructor(db: Queryable) {
    this.#db = db;
  }

  /** `act` writes with `once`; when a call of the same name was quicker, or long before, what that one has made is the answer. */
  async run(once: Once | undefined, act: () => Promise<Made>): Promise<Made> {
    if (once === undefined) return act();
    const before = await findMade(this.#db, once);
    if (before) return before;
    try {
      return await act();
    } catch (error) {
      const made = await findMade(this.#db, once);
      if (!made) throw error;
      return made;
    }
  }
}
