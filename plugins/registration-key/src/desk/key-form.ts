import { DateTime } from 'luxon';
import { InvalidInputError, z } from 'latchkey/plugin-api';
import { carriesFormOf, carriesFormShape, carriesFromForm } from '../carries/carries-form.ts';
import { humanChecks, type InvitationKey, type KeyTerms } from '../keys/invitation-key.ts';
import { completeTerms, DAY_MS, type KeyDraft } from '../keys/key-terms.ts';
import type { OpeningHours } from '../keys/opening-hours.ts';

export const kinds = ['person', 'team', 'event'] as const;
export type Kind = (typeof kinds)[number];

const some = z.string().max(2000).default('');
const many = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => [value].flat().filter((one) => one !== ''));

/** The form for a key as a browser sends it: everything is text, and what is empty is left to the preset. */
export const keyFormSchema = z.object({
  kind: z.enum(kinds).default('team'),
  label: some,
  note: some,
  email: some,
  maxUses: some,
  unlimited: z.string().optional(),
  expires: z.string().default(''),
  expiresOn: some,
  startsOn: some,
  hoursDays: many,
  hoursFrom: some,
  hoursTo: some,
  hoursZone: some,
  domains: some,
  profile: some,
  entity: some,
  groups: many,
  approval: z.enum(['auto', 'domain', 'manual']).default('auto'),
  emailProof: z.enum(['required', 'none', '']).default(''),
  humanCheck: z.enum([...humanChecks, '']).default(''),
  landing: some,
  locale: z.enum(['en', 'fr', '']).default(''),
  showOnce: z.string().optional(),
  customKey: some,
  understood: z.string().optional(),
  step: z.string().optional(),
  /** A risk whose button was pressed. */
  safer: z.string().max(40).optional(),
  reuse: z.string().optional(),
  /** Beside 1: so many keys at once. */
  count: some,
  version: z.coerce.number().int().optional(),
  ...carriesFormShape,
});
export type KeyForm = z.output<typeof keyFormSchema>;

const presets: Record<Kind, { maxUses: number; expires: string }> = {
  person: { maxUses: 1, expires: '7' },
  team: { maxUses: 10, expires: '14' },
  event: { maxUses: 50, expires: 'today' },
};
export const presetOf = (kind: Kind): { maxUses: number; expires: string } => presets[kind];

/** Days a select offers; `today`, `never` and `date` beside them. */
export const periods = ['today', '1', '7', '14', '30', '90', 'date', 'never'] as const;

interface Here {
  now: number;
  timeZone: string;
}

export function draftFromForm(form: KeyForm, here: Here): KeyDraft {
  const preset = presets[form.kind];
  const isPerson = form.kind === 'person';
  const draft: KeyDraft = {
    label: form.label,
    note: form.note,
    maxUses: isPerson ? 1 : form.unlimited === undefined ? usesFrom(form.maxUses, preset.maxUses) : null,
    expiresAt: endFrom(form, preset.expires, here),
    notBefore: form.startsOn === '' ? null : localMoment('startsOn', form.startsOn, here),
    hours: hoursFrom(form, here),
    emailDomains:
      isPerson && form.email !== '' ? [] : form.domains.split(/[\s,;]+/).filter((rule) => rule !== ''),
    groups: form.groups,
    approval: form.approval,
    landing: form.landing,
    locale: form.locale === '' ? null : form.locale,
    showOnce: form.showOnce !== undefined,
    carries: carriesFromForm(form, here),
  };
  if (isPerson && form.email !== '') draft.email = form.email;
  if (form.profile !== '') draft.profile = form.profile;
  if (form.entity !== '') draft.entity = form.entity;
  if (form.reuse !== undefined) draft.reuse = true;
  if (form.emailProof !== '') draft.emailProof = form.emailProof;
  if (form.humanCheck !== '') draft.humanCheck = form.humanCheck;
  if (form.customKey.trim() !== '') {
    draft.customKey = form.customKey;
    // What can be guessed is never open to all; the page says so beside the field.
    if (form.approval === 'auto') draft.approval = 'manual';
  }
  return draft;
}

/** A key as its edit form shows it. */
export function formOf(
  key: KeyTerms & Pick<InvitationKey, 'version'>,
  { timeZone }: { timeZone: string },
): Record<string, unknown> {
  const local = (at: number | null): string =>
    at === null ? '' : DateTime.fromMillis(at, { zone: timeZone }).toFormat("yyyy-MM-dd'T'HH:mm");
  return {
    kind: key.email === null ? 'team' : 'person',
    label: key.label,
    note: key.note,
    email: key.email ?? '',
    maxUses: key.maxUses ?? '',
    unlimited: key.maxUses === null,
    expires: key.expiresAt === null ? 'never' : 'date',
    expiresOn: local(key.expiresAt),
    startsOn: local(key.notBefore),
    ...hoursForm(key.hours),
    domains: key.emailDomains.join(' '),
    profile: key.profileId,
    entity: key.entityId,
    groups: key.groupIds,
    approval: key.approval,
    emailProof: key.emailProof,
    humanCheck: key.humanCheck,
    landing: key.landing,
    locale: key.locale ?? '',
    version: key.version,
    ...carriesFormOf(key.carries, { timeZone }),
  };
}

/** A preset as the form begins with it. */
export function formOfDraft(draft: KeyDraft, here: Here): Record<string, unknown> {
  const place = { profileId: draft.profile ?? '', entityId: draft.entity ?? '' };
  const terms = completeTerms(draft, { now: here.now, mailIsOn: true, ...place });
  const { version: _version, ...form } = formOf({ ...terms, version: 0 }, here);
  const days = terms.expiresAt === null ? 'never' : String((terms.expiresAt - here.now) / DAY_MS);
  const isUsual = (periods as readonly string[]).includes(days);
  return { ...form, ...(isUsual ? { expires: days, expiresOn: '' } : {}), showOnce: draft.showOnce === true };
}

/** An edit that does not touch a moment leaves it exactly, seconds and all. */
export function changesFromForm(form: KeyForm, key: InvitationKey, here: Here): KeyDraft {
  const changes = draftFromForm({ ...form, entity: '', customKey: '' }, here);
  delete changes.showOnce;
  const shown = formOf(key, here);
  if (form.expires === 'date' && form.expiresOn === shown['expiresOn']) changes.expiresAt = key.expiresAt;
  if (form.startsOn === shown['startsOn']) changes.notBefore = key.notBefore;
  return { ...changes, email: changes.email ?? null };
}

/** Days without times are whole days; times without days are every day. */
function hoursFrom(form: KeyForm, { timeZone }: Here): OpeningHours | null {
  const { hoursDays, hoursFrom: from, hoursTo: to, hoursZone } = form;
  if (hoursDays.length === 0 && from === '' && to === '') return null;
  return {
    days: hoursDays.length === 0 ? [1, 2, 3, 4, 5, 6, 7] : hoursDays.map(Number),
    from: from === '' ? '00:00' : from,
    to: to === '' ? '24:00' : to,
    timeZone: hoursZone.trim() === '' ? timeZone : hoursZone.trim(),
  };
}

const hoursForm = (hours: OpeningHours | null): Record<string, unknown> => ({
  hoursDays: (hours?.days ?? []).map(String),
  hoursFrom: hours?.from ?? '',
  hoursTo: hours?.to === '24:00' ? '' : (hours?.to ?? ''),
  hoursZone: hours?.timeZone ?? '',
});

/** How many keys with these settings. */
export const countFrom = ({ count }: KeyForm): number => (count.trim() === '' ? 1 : Number(count));

const usesFrom = (typed: string, otherwise: number): number =>
  typed.trim() === '' ? otherwise : Number(typed);

function endFrom({ expires, expiresOn }: KeyForm, otherwise: string, here: Here): number | null {
  const chosen = expires === '' ? otherwise : expires;
  if (chosen === 'never') return null;
  if (chosen === 'today')
    return DateTime.fromMillis(here.now, { zone: here.timeZone }).endOf('day').toMillis();
  if (chosen === 'date') return localMoment('expiresOn', expiresOn, here);
  return here.now + Number(chosen) * DAY_MS;
}

/** `2026-12-05T18:00` as it is meant in the house. */
function localMoment(field: string, typed: string, { timeZone }: Here): number {
  const moment = DateTime.fromISO(typed, { zone: timeZone });
  if (moment.isValid) return moment.toMillis();
  throw new InvalidInputError('input.invalid', { fields: [{ field, code: 'invitation.not_a_date' }] });
}
