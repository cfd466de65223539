import type { Carries } from '../carries/carries.ts';
import { isWithin, type OpeningHours } from './opening-hours.ts';

export type Approval = 'auto' | 'domain' | 'manual';
export type EmailProof = 'required' | 'none';
/** When a machine has to show its work: never, when many forms come in at once, always. */
export const humanChecks = ['off', 'busy', 'always'] as const;
export type HumanCheckMode = (typeof humanChecks)[number];

/** What an administrator decides about a key. */
export interface KeyTerms {
  label: string;
  note: string;
  entityId: string;
  profileId: string;
  groupIds: string[];
  /** Null is unlimited; there is no 0, a key is paused instead. */
  maxUses: number | null;
  notBefore: number | null;
  /** Valid while now < expiresAt; null is for ever. */
  expiresAt: number | null;
  /** Null is around the clock. */
  hours: OpeningHours | null;
  approval: Approval;
  emailProof: EmailProof;
  humanCheck: HumanCheckMode;
  /** For one person only. */
  email: string | null;
  emailNorm: string | null;
  /** `acme.test`, or `*.acme.test` for everything below it. */
  emailDomains: string[];
  /** A path of ours where a newcomer arrives. */
  landing: string;
  locale: string | null;
  /** Profile data, questions, metadata, the life of the account, steps. */
  carries: Carries;
}

/** Every term, for what compares and records them. */
export const termNames = [
  'label',
  'note',
  'entityId',
  'profileId',
  'groupIds',
  'maxUses',
  'notBefore',
  'expiresAt',
  'hours',
  'approval',
  'emailProof',
  'humanCheck',
  'email',
  'emailDomains',
  'landing',
  'locale',
  'carries',
] as const satisfies readonly (keyof KeyTerms)[];

export type PauseReason =
  | 'by-hand'
  | 'owner-gone'
  | 'authority-lost'
  | 'restored-backup'
  | 'locked'
  /** People came in as they never did before. */
  | 'breaker'
  /** Somebody found it where it should not be. */
  | 'reported'
  /** It gives a profile of the staff, and nobody but its maker has said yes so far. */
  | 'second-approval';

/** A key as everything but its secret: nothing in here opens a door. */
export interface InvitationKey extends KeyTerms {
  id: string;
  /** The first four symbols, for lists. */
  hint: string;
  /** Four symbols by which a refused person and an administrator can talk about the key; they open nothing. */
  explainCode: string;
  /** Chosen by a person, so it can be guessed: stricter rules, vaguer answers. */
  weak: boolean;
  /** Grows when the secret is replaced. */
  generation: number;
  /** Whether the link can be shown again. */
  hasCopy: boolean;
  /** Seats taken, held ones included. */
  uses: number;
  pausedAt: number | null;
  pausedReason: PauseReason | null;
  revokedAt: number | null;
  /** Null when the house itself made it (the command line). */
  ownerId: string | null;
  ownerName: string;
  /** Made by somebody who may only invite within the quota of the house. */
  byMember: boolean;
  /** Who made it give a profile of the staff, or more of it; and who else agreed. */
  askedBy: string | null;
  approvedBy: string | null;
  approvedAt: number | null;
  /** Gone from every list; what happened with it stays. */
  deletedAt: number | null;
  /** Made together with others. */
  batchId: string | null;
  /** Whoever joins by it gets this ticket, and arrives there. */
  ticketId: string | null;
  createdAt: number;
  updatedAt: number;
  lastUsedAt: number | null;
  /** Whether it was ever mailed to anybody. */
  isMailed: boolean;
  version: number;
}

/** What a key is right now, the first that is true. */
export const standings = [
  'deleted',
  'revoked',
  'used-up',
  'expired',
  'needs-approval',
  'paused',
  'scheduled',
  'outside-hours',
  'active',
] as const;
export type Standing = (typeof standings)[number];

type Timed = Pick<InvitationKey, 'revokedAt' | 'maxUses' | 'uses' | 'expiresAt' | 'pausedAt' | 'notBefore'> &
  Partial<Pick<InvitationKey, 'deletedAt' | 'pausedReason' | 'hours'>>;

export function standingOf(key: Timed, now: number): Standing {
  if (typeof key.deletedAt === 'number') return 'deleted';
  if (key.revokedAt !== null) return 'revoked';
  if (seatsLeft(key) === 0) return 'used-up';
  if (key.expiresAt !== null && now >= key.expiresAt) return 'expired';
  if (key.pausedAt !== null) return key.pausedReason === 'second-approval' ? 'needs-approval' : 'paused';
  if (key.notBefore !== null && now < key.notBefore) return 'scheduled';
  if (key.hours && !isWithin(key.hours, now)) return 'outside-hours';
  return 'active';
}

/** Null is without limit. */
export const seatsLeft = ({ maxUses, uses }: Pick<InvitationKey, 'maxUses' | 'uses'>): number | null =>
  maxUses === null ? null : Math.max(0, maxUses - uses);

/** Whether the only way on for this newcomer is an administrator's yes. */
export function needsApproval(
  terms: Pick<KeyTerms, 'approval' | 'emailDomains'>,
  isListed: boolean,
): boolean {
  switch (terms.approval) {
    case 'auto':
      return false;
    case 'manual':
      return true;
    case 'domain':
      return !isListed;
  }
}
