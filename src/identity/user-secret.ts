export type SecretPurpose = 'reset' | 'confirm';

/** Something that proves a mailbox or the permission to set a new password; only its digest is kept. */
export interface UserSecret {
  id: string;
  userId: string;
  purpose: SecretPurpose;
  /** The address it speaks of, as typed. */
  email: string;
  triesLeft: number;
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
}
