import type { InvitationKey, KeyTerms } from './invitation-key.ts';
import { carriesInWords } from '../carries/carried-fields.ts';
import type { OpeningHours } from './opening-hours.ts';

/** One clause: an i18n key of ours and what goes into it. */
export interface Clause {
  key: string;
  params: Record<string, string | number>;
}

interface Words {
  profile: string;
  entity: string;
  groups: string[];
  locale: string;
  timeZone: string;
}

type Told = Pick<
  KeyTerms,
  'maxUses' | 'email' | 'emailDomains' | 'approval' | 'emailProof' | 'notBefore' | 'expiresAt' | 'groupIds'
> &
  Partial<Pick<InvitationKey, 'uses' | 'hours' | 'carries'>>;

/** What a key does, in words: who, as what, until when, and what is asked of them. */
export function sentenceOf(terms: Told, { profile, entity, groups, locale, timeZone }: Words): Clause[] {
  const clause = (name: string, params: Clause['params'] = {}): Clause => ({
    key: `registration-key:sentence.${name}`,
    params,
  });
  const at = (moment: number): string => momentInWords(moment, { locale, timeZone });
  const domains = terms.emailDomains.map((rule) => `@${rule}`).join(', ');
  const restricts = domains !== '' && terms.approval !== 'domain';
  const who = whoOf(terms);
  return [
    clause(restricts ? `${who}-domains` : who, {
      count: terms.maxUses ?? 0,
      email: terms.email ?? '',
      domains,
    }),
    groups.length > 0
      ? clause('as-groups', { profile, entity, groups: groups.join(', ') })
      : clause('as', { profile, entity }),
    ...(terms.notBefore === null ? [] : [clause('from', { at: at(terms.notBefore) })]),
    ...(terms.hours ? [clause('hours', hoursInWords(terms.hours, locale))] : []),
    terms.expiresAt === null ? clause('for-ever') : clause('until', { at: at(terms.expiresAt) }),
    ...(terms.carries ? carriesInWords(terms.carries, at).map(([name, params]) => clause(name, params)) : []),
    clause(terms.emailProof === 'required' ? 'proof' : 'no-proof'),
    ...(terms.approval === 'auto' ? [] : [clause(`approval-${terms.approval}`, { domains })]),
  ];
}

/** Said before the rest where more keys than one are made: what they add up to. */
export function manyInWords(keys: number, maxUses: number | null, locale: string): Clause[] {
  if (keys === 1) return [];
  const said = (value: number): string => new Intl.NumberFormat(regionOf(locale)).format(value);
  return maxUses === null
    ? [{ key: 'registration-key:sentence.many-unlimited', params: { keys: said(keys) } }]
    : [{ key: 'registration-key:sentence.many', params: { keys: said(keys), total: said(keys * maxUses) } }];
}

/** `Mon–Fri`, `08:00–18:00`, and on whose clocks. */
export function hoursInWords(
  { days, from, to, timeZone }: OpeningHours,
  locale: string,
): { days: string; hours: string; zone: string } {
  // The first of January 2024 was a Monday.
  const name = (day: number): string =>
    new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2024, 0, day));
  const [first, last] = [days[0] ?? 1, days.at(-1) ?? 7];
  const isRun = days.length > 2 && last - first === days.length - 1;
  return {
    days: isRun ? `${name(first)}–${name(last)}` : days.map(name).join(', '),
    hours: `${from}–${to}`,
    zone: timeZone.replaceAll('_', ' '),
  };
}

function whoOf({ maxUses, email }: Told): string {
  if (email !== null) return 'person';
  return maxUses === null ? 'anybody' : 'people';
}

/** Days before months, as on every page of the house. */
export const regionOf = (locale: string): string => (locale === 'en' ? 'en-GB' : locale);

/** `5 Dec 2026, 18:00 CET`: always with its zone, since the reader may be elsewhere. */
export const momentInWords = (
  at: number,
  { locale, timeZone }: { locale: string; timeZone: string },
): string =>
  new Intl.DateTimeFormat(regionOf(locale), {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone,
  }).format(at);
