import { defineContribution } from '../hooks/tokens.ts';
import type { Actor } from '../shared/actor.ts';
import type { AttachmentStorage } from './attachment-storage.ts';
import type { TicketFacts } from './ticket-hooks.ts';
import type { Visibility } from './timeline.ts';

const since = '0.1.0';

/** A card on the first page, drawn by the house. Its texts are in the reader's language: `actor.locale`. */
export interface DashboardCard {
  title: string;
  /** What it says in short, and the words under it: `4.6 of 5`, `18 answers in 30 days`. */
  figure?: { value: string; note?: string };
  chart?: {
    kind: 'bars' | 'line' | 'donut';
    /** Over the picture; that of the card unless said. */
    title?: string;
    items: readonly { label: string; value: number; tone?: string }[];
    /** Heads of the table behind the picture: what, how many. */
    what: string;
    count?: string;
  };
  /** Said instead, while there is nothing to count. */
  text?: string;
  /** Where more of it stands. */
  link?: { path: string; label: string };
}

export const dashboardCards = defineContribution<DashboardCard, { actor: Actor }>({
  name: 'dashboard.cards',
  summary: 'Cards on the first page. Count only what `actor` may see.',
  since,
  budgetMs: 100,
});

/** A line between those of a ticket's conversation. */
export interface TimelineNote {
  /** Unlike every other of the plugin's on this ticket; part of the line's address. */
  id: string;
  at: number;
  /** A Tabler icon. */
  icon: string;
  /** One line in the reader's language. */
  text: string;
  /** What somebody said, in Markdown. */
  body?: string;
  /** Private lines are for those who may read notes. */
  visibility: Visibility;
}

export const ticketTimeline = defineContribution<
  readonly TimelineNote[],
  { actor: Actor; ticket: TicketFacts }
>({
  name: 'ticket.timeline',
  summary: 'Lines of a ticket’s conversation that are kept elsewhere: a rating, a call, a visit.',
  since,
  budgetMs: 50,
});

/** A word that the search over tickets knows: `rating:5`. */
export interface SearchField {
  /** Before the colon. */
  name: string;
  /** For whoever searches, in their language: `tag:vip`. */
  example: string;
  /** Ids of the tickets that have every value asked for; left out while nobody has asked. */
  found?: readonly string[];
}

export const ticketSearchFields = defineContribution<
  SearchField,
  { actor: Actor; asked: Readonly<Record<string, readonly string[]>> }
>({
  name: 'ticket.search-fields',
  summary:
    'Fields of the search: what was typed as `name:value` comes as `asked[name]`. Nobody finds more than they may read.',
  since,
  budgetMs: 100,
});

export const attachmentStores = defineContribution<AttachmentStorage>({
  name: 'attachment.stores',
  summary: 'Another place for attached files, for the setting that says where new ones are kept.',
  since,
  budgetMs: 10,
});
