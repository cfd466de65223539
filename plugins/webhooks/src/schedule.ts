const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** After each failure; about two days in all. */
const pauses = [
  5 * SECOND,
  30 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
];
const LONGEST_WISH = HOUR;

export const MOST_ATTEMPTS = pauses.length + 1;

/** When to try again, or null when it is over. A receiver that says how long to wait is heard, up to an hour. */
export function pauseAfter(
  attempts: number,
  { retryAfter, chance }: { retryAfter: string | undefined; chance: number },
): number | null {
  const usual = pauses[attempts - 1];
  if (usual === undefined) return null;
  const wished = /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) * SECOND : 0;
  // Up to a fifth later by chance, so that what failed together does not return together.
  return Math.max(Math.round(usual * (1 + chance / 5)), Math.min(wished, LONGEST_WISH));
}
