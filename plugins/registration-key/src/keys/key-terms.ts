import { InvalidInputError, type FieldProblem } from 'latchkey/plugin-api';
import { carriesProblems, completeCarries, type CarriesDraft } from '../carries/carries.ts';
import { normaliseAddress, parseDomainRule } from './address.ts';
import type { Approval, EmailProof, HumanCheckMode, InvitationKey, KeyTerms } from './invitation-key.ts';
import { readCustomKey } from './key-text.ts';
import { hoursProblem, type OpeningHours } from './opening-hours.ts';

/** What is asked for; what is left out gets a safe default, and `null` is said on purpose: without limit, for ever. */
export interface KeyDraft {
  label?: string;
  note?: string;
  maxUses?: number | null;
  notBefore?: number | null;
  expiresAt?: number | null;
  /** Null is around the clock. */
  hours?: OpeningHours | null;
  /** Id or key of a profile. */
  profile?: string;
  entity?: string;
  groups?: string[];
  email?: string | null;
  emailDomains?: string[];
  approval?: Approval;
  emailProof?: EmailProof;
  humanCheck?: HumanCheckMode;
  landing?: string;
  locale?: string | null;
  /** What it brings along: profile data, questions, metadata, the life of the account, steps. */
  carries?: CarriesDraft;
  /** Leaves no copy behind: the link is shown once and never again. */
  showOnce?: boolean;
  customKey?: string;
  /** Gives the open key with the same terms, if this actor has one already. */
  reuse?: boolean;
  /** Id or name of a preset; what is said beside it counts more. */
  preset?: string;
}

export interface Surroundings {
  now: number;
  /** Without mail nobody can prove an address alone. */
  mailIsOn: boolean;
  profileId: string;
  entityId: string;
  /** People with this profile run the house. */
  isStaff?: boolean;
}

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MOST_USES = 1_000_000;
const LANDING = '/tickets/new?welcome=1';
const defaultsFor = {
  onePerson: { maxUses: 1, days: 7 },
  link: { maxUses: 10, days: 14 },
  staff: { maxUses: 1, days: 3 },
};
const LONGEST_STAFF_DAYS = 7;
const FEWEST_SYMBOLS = 4;

/** Fills in what was left out. The result is not yet checked. */
export function completeTerms(
  draft: KeyDraft,
  { now, mailIsOn, profileId, entityId, isStaff = false }: Surroundings,
): KeyTerms {
  const email = draft.email?.trim() ? draft.email.trim() : null;
  const forOne = email === null ? defaultsFor.link : defaultsFor.onePerson;
  const usual = isStaff ? defaultsFor.staff : forOne;
  const emailDomains = [
    ...new Set((draft.emailDomains ?? []).map((rule) => rule.trim()).filter((rule) => rule !== '')),
  ];
  const approval = draft.approval ?? (draft.customKey === undefined ? 'auto' : 'manual');
  const needsProof =
    mailIsOn ||
    email !== null ||
    emailDomains.length > 0 ||
    approval === 'domain' ||
    draft.customKey !== undefined;
  return {
    label: draft.label?.trim() ?? '',
    note: draft.note?.trim() ?? '',
    entityId,
    profileId,
    groupIds: [...new Set(draft.groups ?? [])],
    maxUses: draft.maxUses === undefined ? usual.maxUses : draft.maxUses,
    notBefore: draft.notBefore ?? null,
    expiresAt: draft.expiresAt === undefined ? now + usual.days * DAY_MS : draft.expiresAt,
    hours: tidyHours(draft.hours),
    approval,
    // What can be guessed is guessed by machines.
    humanCheck: draft.humanCheck ?? (draft.customKey === undefined ? 'off' : 'busy'),
    emailProof: draft.emailProof ?? (needsProof ? 'required' : 'none'),
    email,
    emailNorm: email === null ? null : normaliseAddress(email),
    emailDomains: emailDomains.map((rule) => parseDomainRule(rule) ?? rule),
    landing: draft.landing?.trim() ? draft.landing.trim() : LANDING,
    locale: draft.locale ?? null,
    carries: completeCarries(draft.carries),
  };
}

interface Circumstances {
  now: number;
  /** A key chosen by a person: what it may not leave out. */
  weak: boolean;
  /** The profile can administer the house. */
  isStaff: boolean;
  /** What stands already when a key is edited: moments that have passed may stay. */
  before?: Pick<InvitationKey, 'expiresAt' | 'uses' | 'carries'>;
}

/** Throws one error with everything that is wrong, so that a form is corrected once. */
export function assertSound(terms: KeyTerms, circumstances: Circumstances): void {
  const shape = [
    ...textProblems(terms),
    ...capProblems(terms, circumstances),
    ...windowProblems(terms, circumstances),
    ...hoursProblems(terms),
    ...carriesProblems(terms.carries, {
      now: circumstances.now,
      ...(circumstances.before ? { before: circumstances.before.carries } : {}),
    }),
  ];
  const sense = [
    ...addressProblems(terms),
    ...weakProblems(terms, circumstances),
    ...staffProblems(terms, circumstances),
  ];
  if (shape.length > 0) throw new InvalidInputError('input.invalid', { fields: [...shape, ...sense] });
  if (sense.length > 0) throw new InvalidInputError('invitation.contradiction', { fields: sense });
}

export function assertCustomKey(text: string): string {
  const normal = readCustomKey(text);
  const wrong = (code: string): InvalidInputError =>
    new InvalidInputError('input.invalid', { fields: [{ field: 'customKey', code }] });
  if (normal === null) throw wrong('invitation.custom_key_form');
  // AAAAAA and 121212 are tried first by whoever guesses.
  if (new Set(normal).size < FEWEST_SYMBOLS) throw wrong('invitation.custom_key_plain');
  return normal;
}

function textProblems({ label, note, landing }: KeyTerms): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (label.length > 120)
    problems.push({ field: 'label', code: 'invitation.too_long', params: { limit: 120 } });
  if (note.length > 2000)
    problems.push({ field: 'note', code: 'invitation.too_long', params: { limit: 2000 } });
  if (!isOwnPath(landing)) problems.push({ field: 'landing', code: 'invitation.landing_elsewhere' });
  return problems;
}

function capProblems({ maxUses }: KeyTerms, { before }: Circumstances): FieldProblem[] {
  const field = 'maxUses';
  if (maxUses === 0) return [{ field, code: 'invitation.zero_uses' }];
  if (maxUses !== null && !(Number.isInteger(maxUses) && maxUses > 0 && maxUses <= MOST_USES)) {
    return [{ field, code: 'invitation.uses_out_of_range', params: { limit: MOST_USES } }];
  }
  if (before && maxUses !== null && maxUses < before.uses) {
    return [{ field, code: 'invitation.below_used', params: { used: before.uses } }];
  }
  return [];
}

function windowProblems({ notBefore, expiresAt }: KeyTerms, { now, before }: Circumstances): FieldProblem[] {
  const isKept = before !== undefined && before.expiresAt === expiresAt;
  if (!isMoment(expiresAt)) return [{ field: 'expiresAt', code: 'invitation.not_a_moment' }];
  if (!isMoment(notBefore)) return [{ field: 'notBefore', code: 'invitation.not_a_moment' }];
  if (expiresAt !== null && expiresAt <= now && !isKept)
    return [{ field: 'expiresAt', code: 'invitation.ends_in_past' }];
  if (expiresAt !== null && notBefore !== null && expiresAt <= notBefore) {
    return [{ field: 'notBefore', code: 'invitation.starts_after_end' }];
  }
  return [];
}

function addressProblems(terms: KeyTerms): FieldProblem[] {
  const { email, emailNorm, emailDomains, approval, emailProof } = terms;
  const problems: FieldProblem[] = [];
  const wrong = emailDomains.find((rule) => parseDomainRule(rule) === null);
  if (email !== null && emailNorm === null)
    problems.push({ field: 'email', code: 'invitation.not_an_address' });
  if (wrong !== undefined)
    problems.push({ field: 'emailDomains', code: 'invitation.not_a_domain', params: { rule: wrong } });
  if (email !== null && emailDomains.length > 0)
    problems.push({ field: 'emailDomains', code: 'invitation.email_or_domains' });
  if (email !== null && terms.maxUses !== 1)
    problems.push({ field: 'maxUses', code: 'invitation.person_one_use' });
  if (approval === 'domain' && emailDomains.length === 0)
    problems.push({ field: 'emailDomains', code: 'invitation.domains_missing' });
  if (emailProof === 'none' && (email !== null || emailDomains.length > 0 || approval === 'domain')) {
    problems.push({ field: 'emailProof', code: 'invitation.rule_needs_proof' });
  }
  return problems;
}

/** Whoever can guess the text must still own an address and be let in by a person. */
function weakProblems({ maxUses, approval, emailProof }: KeyTerms, { weak }: Circumstances): FieldProblem[] {
  if (!weak) return [];
  const problems: FieldProblem[] = [];
  if (maxUses === null) problems.push({ field: 'maxUses', code: 'invitation.weak_needs_cap' });
  if (approval === 'auto') problems.push({ field: 'approval', code: 'invitation.weak_needs_approval' });
  if (emailProof === 'none') problems.push({ field: 'emailProof', code: 'invitation.weak_needs_proof' });
  return problems;
}

/** A link that makes administrators is for one person, at one address, and for a few days. */
function staffProblems(terms: KeyTerms, { isStaff, now, before }: Circumstances): FieldProblem[] {
  if (!isStaff) return [];
  const { maxUses, email, expiresAt } = terms;
  const problems: FieldProblem[] = [];
  const latest = now + LONGEST_STAFF_DAYS * DAY_MS;
  const isKept = before !== undefined && before.expiresAt === expiresAt;
  if (maxUses !== 1) problems.push({ field: 'maxUses', code: 'invitation.staff_one_use' });
  if (email === null) problems.push({ field: 'email', code: 'invitation.staff_needs_email' });
  if ((expiresAt === null || expiresAt > latest + HOUR_MS) && !isKept)
    problems.push({
      field: 'expiresAt',
      code: 'invitation.staff_short_life',
      params: { days: LONGEST_STAFF_DAYS },
    });
  return problems;
}

function hoursProblems({ hours }: KeyTerms): FieldProblem[] {
  const wrong = hours && hoursProblem(hours);
  return wrong ? [{ field: 'hours', code: `invitation.hours_${wrong}` }] : [];
}

const tidyHours = (hours: OpeningHours | null | undefined): OpeningHours | null =>
  hours ? { ...hours, days: [...new Set(hours.days)].sort((one, other) => one - other) } : null;

const isMoment = (moment: number | null): boolean =>
  moment === null || (Number.isSafeInteger(moment) && moment > 0 && moment < 8_640_000_000_000);

/** Never an address elsewhere, however it is dressed up. */
const isOwnPath = (path: string): boolean =>
  path.length <= 200 &&
  /^\/(?![/\\])/.test(path) &&
  !/[\s\\]/.test(path) &&
  URL.canParse(path, 'https://here.invalid');
