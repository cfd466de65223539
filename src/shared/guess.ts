/** The known name that shares most of its letters, for whoever mistyped. */
export function guess(name: string, known: ReadonlySet<string>): string {
  const best = [...known]
    .map((one) => ({ one, distance: distanceOf(name, one) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.min(4, Math.ceil(name.length / 3))
    ? ` Did you mean "${best.one}"?`
    : '';
}

function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(one).entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of Array.from(other).entries())
      next.push(
        Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === otherLetter ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
