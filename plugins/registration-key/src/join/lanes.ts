interface Lane {
  running: number;
  waiting: (() => void)[];
}

/** One line per key: a few at once, the rest wait in the order they came. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  /** How many are in the line of this key, the ones at work included. */
  lengthOf(key: string): number {
    const lane = this.#lanes.get(key);
    return lane ? lane.running + lane.waiting.length : 0;
  }

  /** Begins at once where fewer than `width` are at work. */
  async run<T>(key: string, width: number, work: () => Promise<T>): Promise<T> {
    const lane = this.#laneOf(key);
    if (lane.running >= width) await new Promise<void>((resolve) => void lane.waiting.push(resolve));
    else lane.running += 1;
    try {
      return await work();
    } finally {
      this.#next(key, lane);
    }
  }

  #laneOf(key: string): Lane {
    const lane = this.#lanes.get(key) ?? { running: 0, waiting: [] };
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Whoever waits takes the place as it is, so that nobody slips in between. */
  #next(key: string, lane: Lane): void {
    const next = lane.waiting.shift();
    if (next) {
      next();
      return;
    }
    lane.running -= 1;
    if (lane.running === 0) this.#lanes.delete(key);
  }
}
