import type { NewPasskey } from './passkey.ts';
import type { NewIdentity } from './user-identity.ts';

export type UserStatus = 'active' | 'disabled';
export type Theme = 'auto' | 'light' | 'dark';
export const themes = ['auto', 'light', 'dark'] as const;
export const locales = ['en', 'fr'] as const;

/** Somebody with an account. What proves who they are (`passwordHash`) never leaves the repository with it. */
export interface User {
  id: string;
  /** What people and older clients call them by. */
  number: number;
  email: string;
  emailNorm: string;
  name: string;
  locale: string;
  timeZone: string | null;
  theme: Theme;
  status: UserStatus;
  emailVerifiedAt: number | null;
  /** Raised to end every session and token at once. */
  authEpoch: number;
  version: number;
  createdAt: number;
  lastSeenAt: number | null;
  anonymisedAt: number | null;
  /** From then on the account is closed; null is without end. */
  endsAt: number | null;
}

/** Whether this account lets somebody in now, also where the job that closes it is late. */
export const isOpen = ({ status, endsAt }: Pick<User, 'status' | 'endsAt'>, now: number): boolean =>
  status === 'active' && (endsAt === null || now < endsAt);

export interface UserDraft {
  email: string;
  name: string;
  locale?: string;
  password?: string;
}

/** Passed filters and vetoes, and hashed: `insert` writes it. */
export interface PreparedUser {
  readonly email: string;
  readonly emailNorm: string;
  readonly name: string;
  readonly locale: string;
  readonly passwordHash: string | null;
  /** Instead of a password. */
  readonly passkey?: NewPasskey;
  readonly identity?: NewIdentity;
}

/** What others may know of a person. */
export interface PersonFacts {
  id: string;
  email: string;
  emailNorm: string;
  name: string;
  locale: string;
  status: UserStatus;
  /** Whether they have shown that they read that mailbox. */
  emailProven: boolean;
  createdAt: number;
}

export const factsOf = ({
  id,
  email,
  emailNorm,
  name,
  locale,
  status,
  emailVerifiedAt,
  createdAt,
}: User): PersonFacts => ({
  id,
  email,
  emailNorm,
  name,
  locale,
  status,
  emailProven: emailVerifiedAt !== null,
  createdAt,
});
