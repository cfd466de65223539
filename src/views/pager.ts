export interface Pager {
  from: number;
  to: number;
  total: number;
  last: number;
  previous: number | null;
  next: number | null;
  numbers: { number: number; current: boolean }[];
}

/** What the foot of a list says; null when there is nothing to say. */
export function pagesOf({ page, perPage, total }: Record<string, unknown>): Pager | null {
  const [at, size, count] = [Number(page), Number(perPage), Number(total)];
  if (!(count > 0 && size > 0 && at > 0)) return null;
  const last = Math.ceil(count / size);
  return {
    from: (at - 1) * size + 1,
    to: Math.min(at * size, count),
    total: count,
    last,
    previous: at > 1 ? at - 1 : null,
    next: at < last ? at + 1 : null,
    numbers: around(at, last).map((number) => ({ number, current: number === at })),
  };
}

/** At most five pages, the current in the middle where that is possible. */
function around(page: number, last: number): number[] {
  const first = Math.max(1, Math.min(page - 2, last - 4));
  return Array.from({ length: Math.min(5, last) }, (_, at) => first + at);
}
