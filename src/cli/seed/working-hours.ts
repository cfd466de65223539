import type { Random } from './random.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** In UTC, which is close enough to office hours between Paris and Berlin. */
const OPENS = 7;
const CLOSES = 17;
const busyHours = [7, 8, 8, 8, 9, 9, 9, 10, 10, 11, 12, 13, 13, 14, 14, 15, 15, 16];
const NOW_AND_THEN = 0.06;

const isWeekend = (at: number): boolean => [0, 6].includes(new Date(at).getUTCDay());
export const dayOf = (at: number): number => Math.floor(at / DAY) * DAY;

/** A moment at which somebody writes to the helpdesk: in the week, in the morning more than at noon, more often as the house becomes known. */
export function askingMoment(random: Random, { from, until }: { from: number; until: number }): number {
  const days = Math.floor((until - from) / DAY);
  for (;;) {
    const day = random.whole(0, days - 1);
    const start = dayOf(from + day * DAY);
    const isLikely = random.chance(0.6 + (0.4 * day) / days);
    if (!isLikely || (isWeekend(start) && !random.chance(NOW_AND_THEN))) continue;
    const at = start + random.pick(busyHours) * HOUR + random.whole(0, 59) * MINUTE + random.whole(0, 59_999);
    if (at >= from && at < until) return at;
  }
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
