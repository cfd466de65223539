import type { InvitationKey } from './invitation-key.ts';
import type { KeyDraft } from './key-terms.ts';

/** A key as the draft that would make it again. */
export const draftOf = (key: InvitationKey): KeyDraft => ({
  label: key.label,
  note: key.note,
  maxUses: key.maxUses,
  notBefore: key.notBefore,
  expiresAt: key.expiresAt,
  hours: key.hours,
  groups: key.groupIds,
  email: key.email,
  emailDomains: key.emailDomains,
  approval: key.approval,
  emailProof: key.emailProof,
  humanCheck: key.humanCheck,
  landing: key.landing,
  locale: key.locale,
  carries: key.carries,
});
