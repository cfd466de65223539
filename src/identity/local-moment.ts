import { DateTime } from 'luxon';
import { InvalidInputError } from '../shared/errors.ts';

/** As a `datetime-local` field shows a moment of the house. */
export const localMoment = (at: number | null, timeZone: string): string =>
  at === null ? '' : DateTime.fromMillis(at, { zone: timeZone }).toFormat("yyyy-MM-dd'T'HH:mm");

/** What such a field says; empty is no moment. */
export function momentIn(typed: string, timeZone: string): number | null {
  if (typed.trim() === '') return null;
  const moment = DateTime.fromISO(typed, { zone: timeZone });
  if (moment.isValid) return moment.toMillis();
  throw new InvalidInputError('input.invalid', { fields: [{ field: 'endsAt', code: 'user.not-a-date' }] });
}
