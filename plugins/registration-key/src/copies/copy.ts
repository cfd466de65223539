import type { InvitationKey } from '../keys/invitation-key.ts';

/**
 * A copy of a key for one place: "Facebook", "HR", "poster". It has a secret of its own and nothing else: terms, seats and cap are the
 * key's. So it tells where people come from, and one that leaks is closed alone.
 */
export interface Copy {
  id: string;
  keyId: string;
  name: string;
  hint: string;
  /** Whether its link can be shown again. */
  hasText: boolean;
  closedAt: number | null;
  madeBy: string;
  createdAt: number;
}

/** To whoever holds a closed copy, its key is revoked; to all others it is what it is. */
export const throughCopy = (key: InvitationKey, copy: Pick<Copy, 'closedAt'> | null): InvitationKey =>
  copy === null || copy.closedAt === null || key.revokedAt !== null
    ? key
    : { ...key, revokedAt: copy.closedAt };

/** What the sealed text of a copy is bound to. */
export const copyContext = ({ id, keyId }: Pick<Copy, 'id' | 'keyId'>): string =>
  `invite-copy-of|${id}|${keyId}`;
