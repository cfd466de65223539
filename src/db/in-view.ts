import type { Clock } from '../shared/clock.ts';
import type { Changing } from './database.ts';

/** What another process has changed is seen this late at most. */
const VIEW_MS = 50;
const MOST_IN_VIEW = 1_000;

interface Standpoint {
  db: Changing;
  clock: Clock;
}

interface Extent {
  /** How many things are kept; what came first goes first. */
  most?: number;
}

/** When something was looked up: after how many changes, by the clock on the wall, and by the one that only goes on. */
interface Moment {
  changes: number;
  wall: number;
  steady: number;
}

interface Seen<T> {
  thing: T | Promise<T>;
  /** What it was before, until it is known what it is. */
  known: T | undefined;
  at: Moment;
}

/**
 * What hundreds ask for in the same moment, looked up once and handed out again, the very same object: a key that is being opened or shown,
 * a page of a catalogue. As soon as this process has written anything it is looked up anew, and after a twentieth of a second in any case,
 * so that whoever changes something sees it at once and other nodes see it 50 ms later. Nothing has to be invalidated, and nobody can forget to.
 */
export class InView<T> {
  readonly #from: Standpoint;
  readonly #most: number;
  readonly #seen = new Map<string, Seen<T>>();

  constructor(from: Standpoint, { most = MOST_IN_VIEW }: Extent = {}) {
    this.#from = from;
    this.#most = most;
  }

  /**
   * `look` is given what was handed out last. Where a cheap question shows that it still stands it gives that again, and with it goes
   * all that was made of it.
   */
  find(name: string, look: (known: T | undefined) => Promise<T>): T | Promise<T> {
    const at = this.#now();
    const before = this.#seen.get(name);
    if (before && isSameMoment(before.at, at)) return before.thing;
    const [first] = this.#seen.keys();
    if (!before && first !== undefined && this.#seen.size >= this.#most) this.#seen.delete(first);
    const seen: Seen<T> = { thing: look(before?.known), known: before?.known, at };
    this.#seen.set(name, seen);
    return this.#settled(name, seen);
  }

  async #settled(name: string, seen: Seen<T>): Promise<T> {
    try {
      seen.known = await seen.thing;
      seen.thing = seen.known;
      return seen.known;
    } catch (error) {
      if (this.#seen.get(name) === seen) this.#seen.delete(name);
      throw error;
    }
  }

  #now(): Moment {
    const { db, clock } = this.#from;
    return { changes: db.changes, wall: clock.now(), steady: performance.now() };
  }
}

const isSameMoment = (one: Moment, other: Moment): boolean =>
  one.changes === other.changes &&
  Math.abs(other.wall - one.wall) < VIEW_MS &&
  other.steady - one.steady < VIEW_MS;
