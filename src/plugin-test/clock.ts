import type { Clock } from '../shared/clock.ts';

const SECOND = 1_000;

export const minutes = (count: number): number => count * 60 * SECOND;
export const hours = (count: number): number => minutes(60) * count;
export const days = (count: number): number => hours(24) * count;

/** A clock that stands still until a test turns it. */
export interface TestClock extends Clock {
  advance(milliseconds: number): void;
  /** `2026-11-21T09:00:00Z`, or milliseconds. */
  set(instant: string | number): void;
}

export function testClock(start: string | number = '2026-03-02T09:00:00Z'): TestClock {
  let now = asMilliseconds(start);
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
    set: (instant) => {
      now = asMilliseconds(instant);
    },
  };
}

const asMilliseconds = (instant: string | number): number =>
  typeof instant === 'number' ? instant : Date.parse(instant);
