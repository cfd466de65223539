import { isOpen, type User } from './user.ts';

export interface Session {
  id: string;
  userId: string;
  /** The account's epoch when it began: once that is raised, the session is over. */
  authEpoch: number;
  createdAt: number;
  seenAt: number;
  /** When the person last proved who they are. */
  authenticatedAt: number;
  idleMs: number;
  expiresAt: number;
  network: string;
  userAgent: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Life {
  idleMs: number;
  absoluteMs: number;
}

/** Who can see other people's tickets is asked for a password more often. */
export const lifeFor = ({ isStaff }: { isStaff: boolean }): Life =>
  isStaff ? { idleMs: 30 * MINUTE, absoluteMs: 12 * HOUR } : { idleMs: 8 * HOUR, absoluteMs: 30 * DAY };

export const RECENT_MS = 10 * MINUTE;
export const TOUCH_EVERY_MS = MINUTE;

export const isAlive = (
  session: Session,
  user: Pick<User, 'authEpoch' | 'status' | 'endsAt'>,
  now: number,
): boolean =>
  isOpen(user, now) &&
  session.authEpoch === user.authEpoch &&
  now < session.expiresAt &&
  now < session.seenAt + session.idleMs;
