import { COUNT_LIMIT } from '../shared/page.ts';

export type TimeStyle = 'date' | 'clock' | 'short' | 'full' | 'month';

const styles: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  clock: { hour: '2-digit', minute: '2-digit' },
  short: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  full: {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  },
  month: { month: 'short', year: 'numeric' },
};

const isStyle = (text: unknown): text is TimeStyle => typeof text === 'string' && text in styles;
export const styleOr = (text: unknown, otherwise: TimeStyle): TimeStyle => (isStyle(text) ? text : otherwise);

/** Making a format is slow, using one is not. */
function kept<T>(make: (locale: string, variant: string) => T): (locale: string, variant?: string) => T {
  const made = new Map<string, T>();
  return (locale, variant = '') => {
    const key = `${locale} ${variant}`;
    const format = made.get(key) ?? make(regionOf(locale), variant);
    made.set(key, format);
    return format;
  };
}

/** English as in most of the world: day before month. */
const regionOf = (locale: string): string => (locale === 'en' ? 'en-GB' : locale);

const timeFormat = kept((region, variant) => {
  const [style = '', timeZone = 'UTC'] = variant.split(' ');
  return new Intl.DateTimeFormat(region, { timeZone, ...styles[styleOr(style, 'short')] });
});
const distanceFormat = kept((region) => new Intl.RelativeTimeFormat(region, { numeric: 'auto' }));
const numberFormat = kept((region) => new Intl.NumberFormat(region));

/** An instant as people of this language and time zone write it. */
export const formatTime = (
  instant: number,
  { locale, timeZone, style }: { locale: string; timeZone: string; style: TimeStyle },
): string => timeFormat(locale, `${style} ${timeZone}`).format(instant);

const units = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** "3 hours ago", "in 2 days"; under a minute it is "now". */
export function formatDistance(instant: number, { locale, now }: { locale: string; now: number }): string {
  const relative = distanceFormat(locale);
  const away = instant - now;
  const unit = units.find(([, length]) => Math.abs(away) >= length);
  return unit ? relative.format(Math.trunc(away / unit[1]), unit[0]) : relative.format(0, 'second');
}

export const formatNumber = (value: number, locale: string): string => numberFormat(locale).format(value);

/** Lists are counted up to a limit; beyond it one says `1,000+`. */
export const formatCount = (value: number, locale: string): string =>
  value === COUNT_LIMIT + 1 ? `${formatNumber(COUNT_LIMIT, locale)}+` : formatNumber(value, locale);

/** Milliseconds, a Date or an ISO text: whatever a model carries. Null when it is none of them. */
export function instantOf(value: unknown): number | null {
  const instant =
    value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : value;
  return typeof instant === 'number' && Number.isFinite(instant) ? instant : null;
}
