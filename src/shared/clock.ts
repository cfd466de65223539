/** The only way to the time of day, so that tests can turn it. Milliseconds UTC since 1970. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
