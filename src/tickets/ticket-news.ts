import type { Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Actor } from '../shared/actor.ts';
import type { Attachment } from './attachment.ts';
import {
  attachmentAdded,
  followUpAdded,
  ticketAssigned,
  ticketClosed,
  ticketCreated,
  ticketReopened,
  ticketSolved,
  ticketUpdated,
  type TicketFacts,
  type TicketNews,
} from './ticket-hooks.ts';
import { isReopened } from './ticket-notices.ts';
import type { FieldChange, Ticket } from './ticket.ts';
import type { TimelineEntry } from './timeline.ts';

export interface Happened {
  actor: Actor;
  before: Ticket | null;
  after: Ticket;
  changes: readonly FieldChange[];
  entry: TimelineEntry | null;
  attachments: readonly Attachment[];
}

export const factsOf = (ticket: Ticket): TicketFacts => ({
  id: ticket.id,
  number: ticket.number,
  entityId: ticket.entityId,
  type: ticket.type,
  title: ticket.title,
  status: ticket.status,
  categoryId: ticket.categoryId,
  priority: ticket.priority,
  requesterId: ticket.requesterId,
  observers: ticket.observers,
  assignees: ticket.assignees,
  followsId: ticket.followsId,
  version: ticket.version,
});

export const byOf = (actor: Actor): { actorId: string | null; actorName: string } => ({
  actorId: actor.userId,
  actorName: actor.name,
});

/** Tells everybody who listens what became of a ticket, in the transaction that made it so. */
export async function tellNews(tx: Tx, hooks: Hooks, happened: Happened): Promise<void> {
  const { actor, before, after, changes, entry } = happened;
  const news = { ...byOf(actor), ticket: factsOf(after) };
  const about = { aggregate: after.id };
  const has = (field: FieldChange['field']): boolean => changes.some((change) => change.field === field);

  if (!before) await hooks.emit(tx, ticketCreated, news, about);
  if (changes.length > 0) {
    await hooks.emit(tx, ticketUpdated, { ...news, fields: changes.map(({ field }) => field) }, about);
  }
  if (has('assignees')) await hooks.emit(tx, ticketAssigned, news, about);
  if (entry && entry.kind !== 'change') {
    const { id: entryId, kind, visibility } = entry;
    await hooks.emit(tx, followUpAdded, { ...news, entryId, kind, visibility }, about);
  }
  if (before && has('status')) await tellStatus(tx, hooks, { before, after, news });
  for (const { id: attachmentId, name, mediaType, size } of happened.attachments) {
    await hooks.emit(tx, attachmentAdded, { ...news, attachmentId, name, mediaType, size }, about);
  }
}

async function tellStatus(
  tx: Tx,
  hooks: Hooks,
  { before, after, news }: { before: Ticket; after: Ticket; news: TicketNews },
): Promise<void> {
  const about = { aggregate: after.id };
  if (after.status === 'solved') await hooks.emit(tx, ticketSolved, news, about);
  if (after.status === 'closed') await hooks.emit(tx, ticketClosed, news, about);
  if (isReopened(before, after)) await hooks.emit(tx, ticketReopened, news, about);
}
