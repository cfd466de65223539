import type { Random } from './random.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** In UTC, which is close enough to office hours between Paris and Berlin. */
const OPENS = 7;
const CLOSES = 17;
const busyHours = [7, 8, 8, 8, 9, 9, 9, 10, 10, 11, 12, 13, 13, 14, 14, 15, 15, 16];
const RARELY = 0.05;

const isWeekend = (at: number): boolean => [0, 6].includes(new Date(at).getUTCDay());
export const dayOf = (at: number): number => Math.floor(at / DAY) * DAY;

/** Moments at which people write to a helpdesk: in the week, in the morning more than at noon, more often as it becomes known. */
export function askingMoments(
  random: Random,
  { from, until }: { from: number; until: number },
  count: number,
): number[] {
  const days = Array.from({ length: Math.floor((until - from) / DAY) }, (_, at) => dayOf(from) + at * DAY);
  const weights = days.map((day, at) => (isWeekend(day) ? RARELY : 1) * (0.7 + (0.6 * at) / days.length));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const dayAt = (share: number): number => {
    let left = share * whole;
    return days.find((_, at) => (left -= weights[at] ?? 0) < 0) ?? until - DAY;
  };
  const moments = Array.from({ length: count }, (_, at) => {
    const hour = random.pick(busyHours);
    return dayAt((at + random.next()) / count) + hour * HOUR + random.whole(0, HOUR - 1);
  });
  return moments.sort((one, other) => one - other);
}

/** So many hours of work later, give or take: nights and weekends do not count. */
export function workedFrom(at: number, hours: number): number {
  let [moment, left] = [intoHours(at), hours * HOUR];
  for (;;) {
    const evening = dayOf(moment) + CLOSES * HOUR;
    if (moment + left < evening) return Math.round(moment + left);
    left -= evening - moment;
    moment = intoHours(evening);
  }
}

function intoHours(at: number): number {
  const morning = dayOf(at) + OPENS * HOUR;
  const isOpen = at >= morning && at < morning + (CLOSES - OPENS) * HOUR;
  if (isOpen && !isWeekend(at)) return at;
  let next = at < morning ? morning : morning + DAY;
  while (isWeekend(next)) next += DAY;
  return next;
}
