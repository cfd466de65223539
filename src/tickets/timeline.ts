import type { FieldChange } from './ticket.ts';

export const visibilities = ['public', 'private'] as const;
export type Visibility = (typeof visibilities)[number];

/** `proposed` until the requester says yes (`accepted`) or no (`refused`). */
export type SolutionState = 'proposed' | 'accepted' | 'refused';

/** One thing that happened on a ticket. Entries of one ticket version happened together. */
export interface TimelineEntry {
  id: string;
  ticketId: string;
  entityId: string;
  ticketVersion: number;
  kind: 'follow-up' | 'solution' | 'change';
  visibility: Visibility;
  authorId: string | null;
  /** Kept beside the id: the house itself and the command line have names but no accounts. */
  authorName: string;
  /** Markdown. */
  body: string;
  state: SolutionState | null;
  changes: FieldChange[] | null;
  writtenAt: number;
}

export interface FollowUpDraft {
  body: string;
  visibility: Visibility;
}

/** What somebody wrote, before it is an entry. */
export interface Said extends FollowUpDraft {
  kind: 'follow-up' | 'solution';
}
