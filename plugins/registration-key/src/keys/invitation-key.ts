export type Approval = 'auto' | 'domain' | 'manual';
export type EmailProof = 'required' | 'none';

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
  approval: Approval;
  emailProof: EmailProof;
  /** For one person only. */
  email: string | null;
  emailNorm: string | null;
  /** `acme.test`, or `*.acme.test` for everything below it. */
  emailDomains: string[];
  /** A path of ours where a newcomer arrives. */
  landing: string;
  locale: string | null;
}

export type PauseReason = 'by-hand' | 'owner-gone' | 'authority-lost' | 'restored-backup' | 'locked';

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
  createdAt: number;
  updatedAt: number;
  lastUsedAt: number | null;
  version: number;
}

/** What a key is right now, the first that is true. */
export type Standing = 'revoked' | 'used-up' | 'expired' | 'paused' | 'scheduled' | 'active';

type Timed = Pick<InvitationKey, 'revokedAt' | 'maxUses' | 'uses' | 'expiresAt' | 'pausedAt' | 'notBefore'>;

export function standingOf(key: Timed, now: number): Standing {
  if (key.revokedAt !== null) return 'revoked';
  if (seatsLeft(key) === 0) return 'used-up';
  if (key.expiresAt !== null && now >= key.expiresAt) return 'expired';
  if (key.pausedAt !== null) return 'paused';
  if (key.notBefore !== null && now < key.notBefore) return 'scheduled';
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
