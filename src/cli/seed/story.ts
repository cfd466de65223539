import type { Clock } from '../../shared/clock.ts';

/** A clock that goes where the story is. */
export class StoryClock implements Clock {
  #now: number;

  constructor(begin: number) {
    this.#now = begin;
  }

  now(): number {
    return this.#now;
  }

  /** Never back: what is told later happened later. */
  goTo(at: number): void {
    this.#now = Math.max(this.#now, at);
  }
}

interface Happening {
  at: number;
  readonly play: () => Promise<unknown>;
}

/** What happens in the demo, whoever thought of it, told in the order in which it happens. */
export class Story {
  readonly #happenings: Happening[] = [];

  add(at: number, play: () => Promise<unknown>): void {
    this.#happenings.push({ at, play });
  }

  /** Plays what happens before `until`, with the clock standing at its moment. */
  async tell(clock: StoryClock, until: number): Promise<void> {
    const inOrder = this.#happenings.filter(({ at }) => at < until).sort((one, other) => one.at - other.at);
    for (const { at, play } of inOrder) {
      clock.goTo(at);
      await play();
    }
    clock.goTo(until);
  }
}
