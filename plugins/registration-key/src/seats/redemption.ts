import type { NewIdentity, NewPasskey } from 'latchkey/plugin-api';

/**
 * A seat of a key. `pending_email`: held while the address is being proven. `pending_approval`: waits for an administrator.
 * `active`: somebody joined. `released`: given back. `declined`: an administrator said no, and the seat is free again.
 */
export type RedemptionStatus = 'pending_email' | 'pending_approval' | 'active' | 'released' | 'declined';

export interface Redemption {
  id: string;
  keyId: string;
  entityId: string;
  /** Counted from 1, never given out twice. */
  seat: number;
  status: RedemptionStatus;
  how: 'new' | 'existing';
  userId: string | null;
  /** The attempt that counts: the first that was confirmed. */
  attemptId: string | null;
  holdUntil: number | null;
  at: number;
  settledAt: number | null;
  decidedBy: string | null;
  decisionNote: string | null;
  /** Truncated, and emptied when its time is over. */
  network: string;
  /** Who owned the key at that moment, and so invited them; null is the house itself. */
  inviterId: string | null;
}

/** What a newcomer typed, kept sealed until there is an account to give it to. */
export interface NewcomerDraft {
  email: string;
  name: string;
  locale: string;
  /** Empty where there is something else instead. */
  passwordHash: string;
  passkey?: NewPasskey;
  identity?: NewIdentity;
  /** The address is known to be theirs. */
  isProven: boolean;
  answers: Record<string, string>;
}

/** With what somebody will come in: a password, hashed already, a passkey, or what a provider says of them. */
export const accessOf = ({
  passwordHash,
  passkey,
  identity,
}: Pick<NewcomerDraft, 'passwordHash' | 'passkey' | 'identity'>):
  { hash: string } | { passkey: NewPasskey } | { identity: NewIdentity } => {
  if (identity) return { identity };
  return passkey ? { passkey } : { hash: passwordHash };
};

/** One form sent in for an address. Whoever sent it, only the one who can read that mailbox gets further. */
export interface Attempt {
  id: string;
  keyId: string;
  /** Null when the address has an account already: everything looks the same, and nothing will come of it. */
  redemptionId: string | null;
  redeemId: string;
  codeTries: number;
  codeUntil: number;
  sends: number;
  sentAt: number | null;
  /** After it the attempt is erased. */
  endsAt: number;
  at: number;
}

export const HOLD_MS = 24 * 3_600_000;
export const CODE_LIFE_MS = 15 * 60_000;
export const CODE_TRIES = 5;
