import type { InvitationKey } from '../keys/invitation-key.ts';

/** `open` waits for an answer; `lapsed` never got one. */
export const requestStates = ['open', 'granted', 'declined', 'lapsed'] as const;
export type RequestState = (typeof requestStates)[number];

/** Somebody who holds a key that is over asks for a way in all the same. */
export interface AccessRequest {
  id: string;
  keyId: string;
  entityId: string;
  state: RequestState;
  /** What they were told: `expired`, `used_up`, `paused`. */
  reason: string;
  /** As they wrote it; nobody has checked it. */
  name: string;
  email: string;
  message: string;
  locale: string;
  at: number;
  decidedAt: number | null;
  decidedBy: string | null;
  decidedByName: string;
  /** What the answer said. */
  note: string;
  /** The key that was made for them. */
  childId: string | null;
  network: string;
}

const WITH_A_WAY_ON = ['expired', 'used_up', 'filled'];

/** Whoever holds a key that ended, filled up or rests may ask. A revoked one was taken back on purpose; a weak one may have been guessed. */
export const mayAsk = (key: InvitationKey, reason: string): boolean =>
  !key.weak && (WITH_A_WAY_ON.includes(reason) || (reason === 'paused' && key.pausedAt !== null));
