import type { Host } from 'latchkey/plugin-api';
import { lastDays } from './day.ts';
import { listRequestDays } from './support/support-repository.ts';
import { listTold } from './trust/check-in-repository.ts';
import { helpdesksByDay } from './usage-repository.ts';

export interface Point {
  label: string;
  value: number;
}

interface Wanted {
  /** Of all, unless said. */
  subscriptionIds?: readonly string[];
  /** What a plugin is called. */
  nameOf: (id: string) => string;
}

export const DAY_MS = 86_400_000;
export const DAYS = 30;
const WEEKS = 12;
const MOST = 10;

/** A value for each of the last days. */
export const points = (days: readonly string[], counts: ReadonlyMap<string, number>): Point[] =>
  days.map((day) => ({ label: day.slice(5), value: counts.get(day) ?? 0 }));

/** Helpdesks that showed up, day by day, and the plugins that they run. */
export async function usageOf(
  host: Host,
  { subscriptionIds, nameOf }: Wanted,
): Promise<{ helpdesks: Point[]; plugins: Point[] }> {
  const now = host.clock.now();
  const days = lastDays(now, DAYS);
  const of = subscriptionIds ? { subscriptionIds } : {};
  const counts = await helpdesksByDay(host.db, { since: days[0] ?? '', ...of });
  const told = await listTold(host.db, { since: now - DAYS * DAY_MS, ...of });
  return {
    helpdesks: points(days, counts),
    plugins: mostOf(told.flatMap(({ plugins }) => plugins.map(({ id }) => nameOf(id)))),
  };
}

/** Support requests, week by week; a week is called by its first day. */
export async function supportByWeek(host: Host): Promise<Point[]> {
  const now = host.clock.now();
  const asked = await listRequestDays(host.db, now - WEEKS * 7 * DAY_MS);
  return Array.from({ length: WEEKS }, (_, at) => {
    const begins = now - (WEEKS - at) * 7 * DAY_MS;
    const label = new Date(begins + DAY_MS).toISOString().slice(5, 10);
    return { label, value: asked.filter((one) => one > begins && one <= begins + 7 * DAY_MS).length };
  });
}

function mostOf(names: readonly string[]): Point[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([label, value]) => ({ label, value }))
    .sort((one, other) => other.value - one.value || one.label.localeCompare(other.label))
    .slice(0, MOST);
}
