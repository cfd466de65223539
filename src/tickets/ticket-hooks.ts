import { defineEvent, defineFilter, defineVeto } from '../hooks/tokens.ts';
import type { Level, Status, TicketType } from './ticket.ts';
import type { FollowUpDraft, Visibility } from './timeline.ts';

const since = '0.1.0';
const budgetMs = 50;

/** What somebody asks for, before it is a ticket. */
export interface TicketDraft {
  entityId: string;
  type: TicketType;
  title: string;
  description: string;
  categoryId: string | null;
  urgency: Level;
  impact: Level;
  requesterId: string;
  observers: string[];
  assignees: { users: string[]; groups: string[] };
}

/** A ticket as events and vetoes tell of it: facts, no texts. */
export interface TicketFacts {
  id: string;
  number: number;
  entityId: string;
  type: TicketType;
  title: string;
  status: Status;
  categoryId: string | null;
  priority: Level;
  requesterId: string;
  observers: string[];
  assignees: { users: string[]; groups: string[] };
  /** The closed ticket that this one goes on with. */
  followsId: string | null;
  version: number;
}

interface By {
  actorId: string | null;
  actorName: string;
}

export const ticketDraft = defineFilter<TicketDraft, By>({
  name: 'ticket.draft',
  summary: 'A ticket before it is written: route it, fill in its category, tidy its title.',
  since,
  failure: 'open',
  budgetMs,
});

export const followUpDraft = defineFilter<FollowUpDraft, By & { ticket: TicketFacts }>({
  name: 'follow-up.draft',
  summary: 'A reply or a note before it is written.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketMayCreate = defineVeto<By & { draft: TicketDraft }>({
  name: 'ticket.may-create',
  summary: 'Whether this ticket may be opened.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketMayUpdate = defineVeto<By & { ticket: TicketFacts; change: Record<string, unknown> }>({
  name: 'ticket.may-update',
  summary: 'Whether these fields may be changed so.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketMaySolve = defineVeto<By & { ticket: TicketFacts }>({
  name: 'ticket.may-solve',
  summary: 'Whether this ticket may be called solved.',
  since,
  failure: 'open',
  budgetMs,
});

export const followUpMayAdd = defineVeto<By & { ticket: TicketFacts; draft: FollowUpDraft }>({
  name: 'follow-up.may-add',
  summary: 'Whether this may be said on this ticket.',
  since,
  failure: 'open',
  budgetMs,
});

export interface TicketNews extends By {
  ticket: TicketFacts;
}

export const ticketCreated = defineEvent<TicketNews>({
  name: 'ticket.created',
  summary: 'A ticket was opened.',
  since,
});

export const ticketUpdated = defineEvent<TicketNews & { fields: string[] }>({
  name: 'ticket.updated',
  summary: 'Fields of a ticket were changed.',
  since,
});

export const ticketAssigned = defineEvent<TicketNews>({
  name: 'ticket.assigned',
  summary: 'Other people or groups are to work on a ticket.',
  since,
});

export const ticketSolved = defineEvent<TicketNews>({
  name: 'ticket.solved',
  summary: 'A ticket was solved.',
  since,
});

export const ticketReopened = defineEvent<TicketNews>({
  name: 'ticket.reopened',
  summary: 'A solved ticket is open again.',
  since,
});

export const ticketClosed = defineEvent<TicketNews>({
  name: 'ticket.closed',
  summary: 'A ticket was closed for good.',
  since,
});

export const followUpAdded = defineEvent<
  TicketNews & { entryId: string; kind: 'follow-up' | 'solution'; visibility: Visibility }
>({
  name: 'follow-up.added',
  summary: 'Somebody replied, left a note or proposed a solution.',
  since,
});

export const attachmentAdded = defineEvent<
  TicketNews & { attachmentId: string; name: string; mediaType: string; size: number }
>({
  name: 'attachment.added',
  summary: 'A file was added to a ticket.',
  since,
});
