import type { Queryable } from 'latchkey/plugin-api';

const REMEMBERED_MS = 60_000;
const MOST = 2_000;

/** What was found to be many stays many for a minute, so that the next page does not count it again. What is few is always counted. */
class Crowds {
  readonly #until = new Map<string, number>();

  async isCrowd(name: string, now: number, isMany: () => Promise<boolean>): Promise<boolean> {
    const until = this.#until.get(name) ?? 0;
    // A clock that was set back forgets.
    if (now < until && until <= now + REMEMBERED_MS) return true;
    const found = await isMany();
    if (this.#until.size >= MOST) this.#until.clear();
    if (found) this.#until.set(name, now + REMEMBERED_MS);
    else this.#until.delete(name);
    return found;
  }
}

const known = new WeakMap<object, Crowds>();

/** Of one database, as this process sees it. */
export function crowdsOf({ knex }: Queryable): Crowds {
  const crowds = known.get(knex) ?? new Crowds();
  known.set(knex, crowds);
  return crowds;
}
