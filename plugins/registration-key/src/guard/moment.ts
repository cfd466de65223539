import { DateTime } from 'luxon';

/** A local time as `<input type="datetime-local">` says it; null when it is none. */
export function momentOf(typed: string, timeZone: string): number | null {
  const moment = DateTime.fromISO(typed, { zone: timeZone });
  return typed !== '' && moment.isValid ? moment.toMillis() : null;
}

export const asLocal = (at: number, timeZone: string): string =>
  DateTime.fromMillis(at, { zone: timeZone }).toFormat("yyyy-MM-dd'T'HH:mm");
