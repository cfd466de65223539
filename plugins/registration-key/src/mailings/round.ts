import type { KeyDraft } from '../keys/key-terms.ts';
import type { TableFormat } from './people-table.ts';

/**
 * What a round does for each person on its list: mails one shared key, a personal key of their own, writes them on the roster of
 * a shared key, or writes again to people who were invited before.
 */
export type RoundKind = 'shared' | 'personal' | 'roster' | 'again' | 'nudge';
export type RoundState = 'draft' | 'sending' | 'paused' | 'stopped' | 'done';

export interface RoundTerms {
  draft: KeyDraft;
  /** Groups named in the list count for each person; personal keys only. */
  groupsFromList: boolean;
  withAccounts: boolean;
  withInvited: boolean;
  /** A roster's people may also be written to. */
  mails: boolean;
  /** Sealed addresses, so that those who are missing can be named and nudged. */
  keepsAddresses: boolean;
  /** What was being decided while the list was still put right, as it was typed. */
  typed?: Readonly<Record<string, unknown>>;
}

export interface Round {
  id: string;
  entityId: string;
  /** The key that everybody gets; null while there is none yet, and where everybody has their own. */
  keyId: string | null;
  kind: RoundKind;
  state: RoundState;
  label: string;
  /** Where the list came from: a file's name, or nothing for a pasted one. */
  source: string;
  format: TableFormat | 'numbers';
  /** Groups of the list that nobody here has. */
  unmappedGroups: string[];
  message: string;
  locale: string | null;
  terms: RoundTerms;
  ownerId: string | null;
  ownerName: string;
  /** At most one round with the same text: what may be done once a day. */
  onceSlot: string | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  leaseUntil: number;
  fence: number;
}

export const verdicts = [
  'ready',
  'invited',
  'has-account',
  'duplicate',
  'refused',
  'malformed',
  'left-out',
] as const;
export type Verdict = (typeof verdicts)[number];

/** Lines that somebody can put right. */
export const mendable: readonly Verdict[] = ['malformed', 'refused'];
export const isMendable = (verdict: Verdict): boolean => mendable.includes(verdict);

/** `skipped`: was ready, and was not any more when its turn came. */
export type LineState = 'waiting' | 'done' | 'skipped';

export interface Line {
  id: string;
  roundId: string;
  /** Two people may stand on one line of the file. */
  position: number;
  line: number;
  written: string;
  email: string;
  emailNorm: string | null;
  name: string;
  locale: string | null;
  staffNumber: string | null;
  groupIds: string[];
  verdict: Verdict;
  reason: string | null;
  reasonFacts: Record<string, string | number> | null;
  state: LineState;
  problem: string | null;
  keyId: string | null;
  inviteeId: string | null;
  settledAt: number | null;
}

export type VerdictCounts = Record<Verdict, number>;

export const noTerms: RoundTerms = {
  draft: {},
  groupsFromList: false,
  withAccounts: false,
  withInvited: false,
  mails: true,
  keepsAddresses: false,
};

/** Which lines of a round are for sending, as was decided. */
export const chosenVerdicts = ({ withAccounts, withInvited }: RoundTerms): Verdict[] => [
  'ready',
  ...(withAccounts ? (['has-account'] as const) : []),
  ...(withInvited ? (['invited'] as const) : []),
];

export const roundSubject = ({
  id,
  label,
  source,
  entityId,
}: Pick<Round, 'id' | 'label' | 'source' | 'entityId'>): {
  subject: { type: string; id: string; label: string };
  entityId: string;
} => ({ subject: { type: 'invitation-round', id, label: label || source || id }, entityId });
