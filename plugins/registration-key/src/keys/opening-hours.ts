import { DateTime } from 'luxon';

/** When a key lets people in, week by week: `from` to `to` on these days, as clocks show it in this zone. */
export interface OpeningHours {
  /** 1 is Monday, 7 is Sunday. */
  days: number[];
  /** `08:00`. */
  from: string;
  /** `18:00`; not later than `from` means on the following day, and `24:00` is midnight. */
  to: string;
  timeZone: string;
}

const clockTime = /^([01]\d|2[0-3]):[0-5]\d$/;

export const isTimeZone = (name: string): boolean => name !== '' && DateTime.local({ zone: name }).isValid;

/** Which of its parts makes no sense, or null. */
export function hoursProblem({
  days,
  from,
  to,
  timeZone,
}: OpeningHours): 'days' | 'from' | 'to' | 'zone' | null {
  const isDay = (day: number): boolean => Number.isInteger(day) && day >= 1 && day <= 7;
  if (days.length === 0 || days.length > 7 || !days.every(isDay)) return 'days';
  if (!clockTime.test(from)) return 'from';
  if (!clockTime.test(to) && to !== '24:00') return 'to';
  return isTimeZone(timeZone) ? null : 'zone';
}

export function isWithin(hours: OpeningHours, now: number): boolean {
  return [0, 1].some((daysAgo) => {
    const span = spanOf(hours, now, -daysAgo);
    return span !== null && now >= span.opens && now < span.closes;
  });
}

/** The next moment at which it opens, after `now`; null when it is open. */
export function nextOpening(hours: OpeningHours, now: number): number | null {
  if (isWithin(hours, now)) return null;
  for (let ahead = 0; ahead <= 8; ahead += 1) {
    const span = spanOf(hours, now, ahead);
    if (span !== null && span.opens > now) return span.opens;
  }
  return null;
}

/** The hours that begin on the day `ahead` days from now, if it is one of the days. */
function spanOf(
  { days, from, to, timeZone }: OpeningHours,
  now: number,
  ahead: number,
): { opens: number; closes: number } | null {
  const day = DateTime.fromMillis(now, { zone: timeZone }).startOf('day').plus({ days: ahead });
  if (!days.includes(day.weekday)) return null;
  const at = (time: string, on: DateTime): number => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return hour === 24
      ? on.plus({ days: 1 }).toMillis()
      : on.set({ hour, minute, second: 0, millisecond: 0 }).toMillis();
  };
  return { opens: at(from, day), closes: at(to, to > from ? day : day.plus({ days: 1 })) };
}
