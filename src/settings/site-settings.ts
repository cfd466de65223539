import { z } from 'zod';
import { isTimeZone } from '../shared/time-zone.ts';
import { defineSetting } from './setting.ts';

export const organisation = defineSetting({
  id: 'site.organisation',
  schema: z.string().trim().min(1).max(120),
  default: 'Latchkey',
});

/** Scheme and host as people reach us; asked at set-up, used where `LATCHKEY_BASE_URL` is not given. */
export const siteOrigin = defineSetting({
  id: 'site.origin',
  schema: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .transform((url) => (url === '' ? '' : new URL(url).origin)),
  default: '',
});

export const siteLocale = defineSetting({ id: 'site.locale', schema: z.enum(['en', 'fr']), default: 'en' });

export const siteTimeZone = defineSetting({
  id: 'site.timeZone',
  schema: z.string().refine(isTimeZone),
  default: 'UTC',
});

/** Written once, never unset: from then on no owner link opens (ruling 31). */
export const setupCompletedAt = defineSetting<number | null>({
  id: 'site.setupCompletedAt',
  schema: z.int().positive().nullable(),
  default: null,
});

/** Nobody joins by a key while this is on; for trouble. */
export const registrationPaused = defineSetting({
  id: 'registration.paused',
  schema: z.boolean(),
  default: false,
});

/** Whom newcomers are told to ask: a name, an address, a telephone number. */
export const registrationContact = defineSetting({
  id: 'registration.contact',
  schema: z.string().trim().max(200),
  default: '',
});

/** Where the server listened when it last started; links carry it until `site.origin` is known. */
export const listeningAt = defineSetting({ id: 'site.listeningAt', schema: z.string(), default: '' });
