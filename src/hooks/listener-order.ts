import type { Order } from './tokens.ts';

export interface Ordered {
  readonly owner: string;
  readonly order: Order;
  /** When it was registered, counted. */
  readonly seat: number;
}

export interface Arranged<L> {
  listeners: L[];
  /** The owners whose wishes contradict each other; empty when all could be kept. */
  contradicting: string[];
}

const USUAL_PRIORITY = 10;

/**
 * Before and after first, then priority, then the order of registration. Wishes that go round in a circle cannot all be
 * kept: the listener with the lowest priority number goes first regardless, and the circle is named.
 */
export function arrange<L extends Ordered>(all: readonly L[]): Arranged<L> {
  const waiting = [...all].sort(byPriority);
  const listeners: L[] = [];
  const contradicting = new Set<string>();
  while (waiting.length > 0) {
    const free = waiting.findIndex(
      (one) => !waiting.some((other) => other !== one && mustPrecede(other, one)),
    );
    if (free === -1) for (const owner of circleIn(waiting)) contradicting.add(owner);
    listeners.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return { listeners, contradicting: [...contradicting].sort() };
}

const byPriority = (one: Ordered, other: Ordered): number =>
  priorityOf(one) - priorityOf(other) || one.seat - other.seat;

const priorityOf = ({ order }: Ordered): number => order.priority ?? USUAL_PRIORITY;

const mustPrecede = (one: Ordered, other: Ordered): boolean =>
  one.owner !== other.owner &&
  ((one.order.before?.includes(other.owner) ?? false) || (other.order.after?.includes(one.owner) ?? false));

/** Everybody left waits for somebody who is left too, so walking back from anybody ends in a circle. */
function circleIn(waiting: readonly Ordered[]): string[] {
  const path: Ordered[] = [];
  for (let at = waiting[0]; at && !path.includes(at); at = firstBefore(waiting, at)) path.push(at);
  const start = firstBefore(waiting, path[path.length - 1]);
  return path.slice(start ? path.indexOf(start) : 0).map(({ owner }) => owner);
}

const firstBefore = (waiting: readonly Ordered[], one: Ordered | undefined): Ordered | undefined =>
  one && waiting.find((other) => other !== one && mustPrecede(other, one));
