import { auditEvent } from '../audit/index.ts';
import { defineFilter, defineVeto } from '../hooks/tokens.ts';
import type { NotificationDraft } from '../notifications/index.ts';
import type { Attachment } from './attachment.ts';
import type { Dashboard } from './dashboard.ts';
import type { TicketFilter } from './ticket-filter.ts';
import type { TicketFacts } from './ticket-hooks.ts';
import type { TicketSummary } from './ticket-list-repository.ts';
import type { Editable } from './ticket.ts';
import type { TimelineEntry } from './timeline.ts';

const since = '0.1.0';
const budgetMs = 50;

interface By {
  actorId: string | null;
  actorName: string;
}

export const ticketChange = defineFilter<Partial<Editable>, By & { ticket: TicketFacts }>({
  name: 'ticket.change',
  summary: 'The fields that somebody changes, before they are judged and written.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketMayAssign = defineVeto<By & { ticket: TicketFacts; assignees: Editable['assignees'] }>({
  name: 'ticket.may-assign',
  summary: 'Whether these people and groups may be given this ticket.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketMayClose = defineVeto<By & { ticket: TicketFacts }>({
  name: 'ticket.may-close',
  summary: 'Whether this ticket may be closed for good.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketMayReopen = defineVeto<By & { ticket: TicketFacts }>({
  name: 'ticket.may-reopen',
  summary: 'Whether this solved ticket may be open again.',
  since,
  failure: 'open',
  budgetMs,
});

export const solutionDraft = defineFilter<{ body: string }, By & { ticket: TicketFacts }>({
  name: 'solution.draft',
  summary: 'A proposed solution before it is written.',
  since,
  failure: 'open',
  budgetMs,
});

export const solutionMayPropose = defineVeto<By & { ticket: TicketFacts; draft: { body: string } }>({
  name: 'solution.may-propose',
  summary: 'Whether this may be proposed as a solution.',
  since,
  failure: 'open',
  budgetMs,
});

export const timelineShown = defineFilter<readonly TimelineEntry[], By & { ticket: TicketFacts }>({
  name: 'timeline.shown',
  summary: 'What somebody reads of a ticket, oldest first: hide a line, blank a number.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketNotices = defineFilter<readonly NotificationDraft[], By & { ticket: TicketFacts }>({
  name: 'ticket.notices',
  summary: 'Who is to be told of what has happened on a ticket, and by which words.',
  since,
  failure: 'open',
  budgetMs,
});

export const attachmentDraft = defineFilter<
  { name: string },
  { uploaderId: string | null; mediaType: string; size: number }
>({
  name: 'attachment.draft',
  summary: 'What a received file is called.',
  since,
  failure: 'open',
  budgetMs,
});

export const attachmentMayKeep = defineVeto<{
  /** Null: it came from another house. */
  uploaderId: string | null;
  name: string;
  mediaType: string;
  size: number;
  path: string;
}>({
  name: 'attachment.may-keep',
  summary: 'Refuses a received file: the place for a virus scanner, which finds it under `path`.',
  since,
  failure: 'closed',
  budgetMs: 200,
});

export const attachmentMayOpen = defineVeto<{
  actorId: string | null;
  attachment: Pick<Attachment, 'id' | 'ticketId' | 'name' | 'mediaType' | 'size'>;
}>({
  name: 'attachment.may-open',
  summary: 'Refuses to hand a file out to somebody who may see its ticket.',
  since,
  failure: 'closed',
  budgetMs,
});

export const ticketSearch = defineFilter<TicketFilter, { actorId: string | null }>({
  name: 'ticket.search',
  summary:
    'What a list of tickets is asked for: widen words, add a condition. It never shows more than one may read.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketListed = defineFilter<readonly TicketSummary[], { actorId: string | null }>({
  name: 'ticket.listed',
  summary: 'One page of found tickets before it is shown.',
  since,
  failure: 'open',
  budgetMs,
});

export const ticketExport = defineFilter<readonly TicketSummary[], { actorId: string | null }>({
  name: 'ticket.export',
  summary: 'The tickets that leave the house in a file.',
  since,
  failure: 'closed',
  budgetMs: 200,
});

export const dashboardFigures = defineFilter<Dashboard, { actorId: string | null }>({
  name: 'dashboard.figures',
  summary: 'The numbers of the day.',
  since,
  failure: 'open',
  budgetMs,
});

export const categoryCreated = auditEvent('category.created', 'A category was made.');
export const categoryUpdated = auditEvent('category.updated', 'A category was renamed or taken out of use.');
