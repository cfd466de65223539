interface Steps {
  firstMs: number;
  longestMs: number;
}

/** Doubles with each attempt up to the longest, less up to a tenth by chance, so that what failed together does not return together. */
export function pauseAfter(attempts: number, { firstMs, longestMs }: Steps): number {
  const pause = Math.min(longestMs, firstMs * 2 ** (attempts - 1));
  return Math.round(pause * (1 - Math.random() / 10));
}
