const DAY_MS = 86_400_000;

/** `2026-11-22`, in UTC. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Oldest first, today last. */
export const lastDays = (now: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => dayOf(now - (count - 1 - at) * DAY_MS));
