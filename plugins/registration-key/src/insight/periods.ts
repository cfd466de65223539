import { DateTime } from 'luxon';
import { regionOf } from '../keys/key-sentence.ts';

interface Span {
  now: number;
  timeZone: string;
  locale: string;
}

interface Bar {
  label: string;
  value: number;
}

/** Calendar weeks from Monday, the house's; the last is the one we are in. */
export function perWeek(
  times: readonly number[],
  { now, timeZone, locale, weeks }: Span & { weeks: number },
): Bar[] {
  const thisWeek = DateTime.fromMillis(now, { zone: timeZone, locale: regionOf(locale) }).startOf('week');
  const starts = Array.from({ length: weeks }, (_, back) => thisWeek.minus({ weeks: weeks - 1 - back }));
  const counts = new Map(starts.map((start) => [start.toISODate(), 0]));
  for (const at of times) {
    const week = DateTime.fromMillis(at, { zone: timeZone }).startOf('week').toISODate();
    if (counts.has(week)) counts.set(week, (counts.get(week) ?? 0) + 1);
  }
  return starts.map((start) => ({
    label: start.toLocaleString({ day: 'numeric', month: 'short' }),
    value: counts.get(start.toISODate()) ?? 0,
  }));
}
