export interface Bar {
  what: string;
  value: number;
  atLeast: number;
}

/** Prints a ratio beside what it should be; true when it is reached. */
export function judge({ what, value, atLeast }: Bar): boolean {
  const isReached = value >= atLeast;
  console.log(`${isReached ? '✓' : '✗'} ${what}: ${value.toFixed(2)} (bar: ${String(atLeast)})`);
  return isReached;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] =
    sorted.length % 2 === 0 ? [sorted[middle - 1], sorted[middle]] : [sorted[middle], sorted[middle]];
  return (low + high) / 2;
}
