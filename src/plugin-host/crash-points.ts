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

/** The same of taking a plugin out, its data written into a file and deleted. */
export const removalPoints = ['wanted', 'exported', 'purged', 'removed'] as const;

/** Of a new version on its way from server to server, and of the end of the way back from it. */
export const trialPoints = ['judged', 'moved', 'settled', 'cleared'] as const;

export type CrashPoint = (typeof crashPoints | typeof removalPoints | typeof trialPoints)[number];

/** Told at each step; nobody listens but the test. */
export type Reached = (point: CrashPoint) => void;
