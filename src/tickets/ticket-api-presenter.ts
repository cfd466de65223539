import type { z } from 'zod';
import type { Actor } from '../shared/actor.ts';
import type { Attachment } from './attachment.ts';
import type { Category } from './category.ts';
import type { Conversation } from './follow-up-service.ts';
import type {
  attachmentSchema,
  categorySchema,
  entrySchema,
  ticketSchema,
  ticketSummarySchema,
} from './ticket-api-schemas.ts';
import type { TicketSummary } from './ticket-list-repository.ts';
import { seesAsHelper } from './ticket-policy.ts';
import { statusForRequester, type FieldChange, type Ticket } from './ticket.ts';

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export function summaryJson(actor: Actor, ticket: TicketSummary): z.input<typeof ticketSummarySchema> {
  const { number, id, entityId, type, title, categoryId, urgency, impact, priority, requesterId } = ticket;
  return {
    ...{ number, id, entityId, type, title, categoryId, urgency, impact, priority, requesterId },
    status: seesAsHelper(actor, ticket) ? ticket.status : statusForRequester(ticket.status),
    observers: ticket.observers,
    assignees: ticket.assignees,
    createdAt: iso(ticket.createdAt),
    updatedAt: iso(ticket.updatedAt),
    firstReplyAt: isoOrNull(ticket.firstReplyAt),
    solvedAt: isoOrNull(ticket.solvedAt),
    closedAt: isoOrNull(ticket.closedAt),
    version: ticket.version,
  };
}

export const ticketJson = (actor: Actor, ticket: Ticket): z.input<typeof ticketSchema> => ({
  ...summaryJson(actor, ticket),
  description: ticket.description,
  followsId: ticket.followsId,
});

export const attachmentJson = ({
  id,
  name,
  mediaType,
  size,
}: Attachment): z.input<typeof attachmentSchema> => ({
  id,
  name,
  mediaType,
  size,
  path: `/api/v1/attachments/${id}`,
});

/** As the page tells it: requesters are not shown the inner workings. */
export function entriesJson(
  actor: Actor,
  { ticket, entries, attachments, notes = [] }: Conversation,
): z.input<typeof entrySchema>[] {
  const isHelper = seesAsHelper(actor, ticket);
  const written = entries
    .map(({ id, kind, visibility, authorId, authorName, body, state, changes, writtenAt }) => ({
      ...{ id, kind, plugin: null, title: '', visibility, authorId, authorName, body, state },
      changes: (changes ?? []).flatMap((change) => changeJson(change, isHelper)),
      attachments: attachments.filter(({ entryId }) => entryId === id).map(attachmentJson),
      writtenAt: iso(writtenAt),
    }))
    .filter(({ kind, changes }) => kind !== 'change' || changes.length > 0);
  if (notes.length === 0) return written;
  return [...written, ...notes.map(noteJson)].sort((one, other) =>
    one.writtenAt.localeCompare(other.writtenAt),
  );
}

const noteJson = ({
  id,
  plugin,
  at,
  text,
  body = '',
  visibility,
}: NonNullable<Conversation['notes']>[number]): z.input<typeof entrySchema> => ({
  ...{ id, kind: 'contributed', plugin, title: text, visibility, authorId: null, authorName: '', body },
  ...{ state: null, changes: [], attachments: [], writtenAt: iso(at) },
});

function changeJson({ field, from, to }: FieldChange, isHelper: boolean): FieldChange[] {
  if (isHelper) return [{ field, from, to }];
  if (field !== 'status') return [];
  const [before, after] = [asShown(from), asShown(to)];
  return before === after ? [] : [{ field, from: before, to: after }];
}

const asShown = (status: unknown): unknown => (status === 'on-hold' ? 'open' : status);

export const categoryJson = ({
  id,
  entityId,
  name,
  archived,
  version,
}: Category): z.input<typeof categorySchema> => ({
  id,
  entityId,
  name,
  archived,
  version,
});
