/** Every step of an installation at which a machine may lose power, in their order; a test ends a real process at each. */
export const crashPoints = [
  'staged',
  'preflighted',
  'stored',
  'pointed',
  'unpacked',
  'placed',
  'imported',
  'migrated',
  'set-up',
  'swapped',
  'ended',
  'running',
  'reported',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** Told at each step; nobody listens but the test. */
export type Reached = (point: CrashPoint) => void;
