import {
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidInputError,
  NotFoundError,
  UnavailableError,
  type Host,
  type KnownError,
} from 'latchkey/plugin-api';
import { isUnder } from '../keys/address.ts';
import { standingOf, type InvitationKey, type Standing } from '../keys/invitation-key.ts';

/** Whose HMAC was found, learns why; everybody else, and whoever holds a key that can be guessed, hears one thing. */
export function refusalOf(key: InvitationKey, now: number): KnownError | null {
  const standing = standingOf(key, now);
  if (standing === 'active') return null;
  return key.weak ? new NotFoundError('invitation.unknown') : reasons[standing]();
}

const reasons: Record<Exclude<Standing, 'active'>, () => KnownError> = {
  revoked: () => new GoneError('invitation.revoked'),
  'used-up': () => new GoneError('invitation.used_up'),
  expired: () => new GoneError('invitation.expired'),
  paused: () => new UnavailableError('invitation.paused', { retryAfter: 600 }),
  scheduled: () => new ForbiddenError('invitation.not_yet'),
  'outside-hours': () => new ForbiddenError('invitation.outside_hours'),
  'needs-approval': () => new UnavailableError('invitation.paused', { retryAfter: 3600 }),
  deleted: () => new GoneError('invitation.revoked'),
};

export function assertOpen(key: InvitationKey, now: number): void {
  const refusal = refusalOf(key, now);
  if (refusal !== null) throw refusal;
}

/** A key for one person, or for some domains, is for nobody else. With approval by domain the others may ask. */
export function misfitOf(key: InvitationKey, emailNorm: string): KnownError | null {
  if (key.emailNorm !== null && key.emailNorm !== emailNorm) return refusedField('invitation.wrong_email');
  const refusesOthers = key.emailDomains.length > 0 && key.approval !== 'domain';
  if (!refusesOthers || isUnder(emailNorm, key.emailDomains)) return null;
  return refusedField('invitation.wrong_domain', {
    domains: key.emailDomains.map((rule) => `@${rule}`).join(', '),
  });
}

export function assertAddressFits(key: InvitationKey, emailNorm: string): void {
  const misfit = misfitOf(key, emailNorm);
  if (misfit !== null) throw misfit;
}

const refusedField = (code: string, params: Record<string, string> = {}): InvalidInputError =>
  new InvalidInputError(code, { params, fields: [{ field: 'email', code, params }] });

/** One switch for all keys. */
export async function assertNewAccountsAllowed(host: Host): Promise<void> {
  const { registration } = await host.site();
  if (registration.isPaused) throw new UnavailableError('invitation.paused', { retryAfter: 600 });
}

/** A key never widens the ways in: where only providers open the house, a password opens nothing here either. */
export async function assertLocalSignIn(host: Host): Promise<void> {
  if (!(await host.providers.isLocalOn())) throw new ForbiddenError('invitation.provider_only');
}

/** The number of accounts that a licence or an organisation allows; a seat of the key is no seat of the house. */
export async function assertRoom(host: Host): Promise<void> {
  if (!(await host.users.hasRoom())) throw new ConflictError('user.no-room');
}

/** The letter that an explain code ends with, so that the administrator sees the reason the person saw. */
const letters: Record<string, string> = {
  'invitation.revoked': 'R',
  'invitation.used_up': 'F',
  'invitation.expired': 'X',
  'invitation.paused': 'P',
  'invitation.not_yet': 'S',
  'invitation.outside_hours': 'H',
  'invitation.wrong_email': 'E',
  'invitation.wrong_domain': 'D',
};

/** `K7Q2-X`: what the refused person reads out, and an administrator looks up. */
export const explainCodeOf = (key: InvitationKey, error: KnownError): string =>
  `${key.explainCode}-${letters[error.code] ?? 'V'}`;

export const reasonOfLetter = (letter: string): string | null =>
  Object.entries(letters).find(([, one]) => one === letter)?.[0] ?? null;
