/** Chance that can be repeated: the same seed draws the same things in the same order. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  between(least: number, most: number): number;
  /** Whole, both ends included. */
  whole(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(things: readonly T[]): T;
}

/** mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    between: (least, most) => least + next() * (most - least),
    chance: (probability) => next() < probability,
    pick: <T>(things: readonly T[]): T => {
      const thing = things[whole(0, things.length - 1)];
      if (thing === undefined) throw new Error('There is nothing to pick from');
      return thing;
    },
  };
}
