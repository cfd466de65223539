import type { Database } from '../db/database.ts';
import { Trace, type Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError } from '../shared/errors.ts';
import { listAttachments } from './attachment-repository.ts';
import type { Attachment } from './attachment.ts';
import { followUpDraft, followUpMayAdd } from './ticket-hooks.ts';
import { ticketTimeline, type TimelineNote } from './desk-contributions.ts';
import { timelineShown } from './desk-hooks.ts';
import { byOf, factsOf } from './ticket-news.ts';
import { assertMayFollowUp, assertMaySee, mayReadEntry, mayReadPrivate, sideOf } from './ticket-policy.ts';
import { findTicket } from './ticket-repository.ts';
import type { Once } from './once-repository.ts';
import { collision, type TicketService } from './ticket-service.ts';
import type { Notices } from './ticket-notices.ts';
import type { TicketWriter } from './ticket-writer.ts';
import { statusAfter, type Status, type Ticket } from './ticket.ts';
import { listEntries } from './timeline-repository.ts';
import type { FollowUpDraft, TimelineEntry } from './timeline.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  writer: TicketWriter;
  tickets: TicketService;
  notices: Notices;
}

export interface NewFollowUp extends FollowUpDraft {
  attachments?: readonly string[];
  /** The status to set along with it. */
  then?: Status | undefined;
  /** What the writer had read when they began; when others have spoken since, they read that first. */
  version?: number | undefined;
  /** A call that may come again. */
  once?: Once | undefined;
}

export interface Conversation {
  ticket: Ticket;
  entries: TimelineEntry[];
  attachments: Attachment[];
  /** What plugins add, each with the plugin it comes from. */
  notes?: readonly ContributedNote[];
}

type ContributedNote = TimelineNote & { plugin: string };

/** What people say to each other on a ticket. */
export class FollowUpService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The ticket and all that happened on it, oldest first, without what this actor may not read. */
  async conversation(actor: Actor, number: number): Promise<Conversation> {
    const { db, hooks } = this.#deps;
    const ticket = await findTicket(db, number);
    assertMaySee(actor, ticket);
    const written = await listEntries(db, ticket.id, { withPrivate: mayReadPrivate(actor, ticket) });
    const about = { ...byOf(actor), ticket: factsOf(ticket) };
    const entries = [...(await hooks.filter(timelineShown, written, about))];
    const shown = new Set(entries.map(({ id }) => id));
    const attachments = await listAttachments(db, ticket.id);
    return {
      ticket,
      entries,
      attachments: attachments.filter(({ entryId }) => entryId === null || shown.has(entryId)),
    };
  }

  /** As `conversation`, with what plugins add to it. */
  async whole(actor: Actor, number: number): Promise<Conversation> {
    const written = await this.conversation(actor, number);
    return { ...written, notes: await this.#notes(actor, written.ticket) };
  }

  /** As `whole`, by somebody who reads it: their bell need not ring for it any more. */
  async read(actor: Actor, number: number): Promise<Conversation> {
    const { db, notices } = this.#deps;
    const conversation = await this.whole(actor, number);
    const { userId } = actor;
    if (userId === null || (await notices.unread(actor)) === 0) return conversation;
    await db.transaction((tx) =>
      notices.markSeen(tx, userId, { type: 'ticket', id: conversation.ticket.id }),
    );
    return conversation;
  }

  async #notes(actor: Actor, ticket: Ticket): Promise<ContributedNote[]> {
    const added = await this.#deps.hooks.gather(ticketTimeline, { actor, ticket: factsOf(ticket) });
    return added
      .flatMap(({ owner, thing }) =>
        thing.map((note) => ({ ...note, id: `${owner}-${note.id}`, plugin: owner })),
      )
      .filter((note) => mayReadEntry(actor, ticket, note));
  }

  /**
   * Adds a reply or a note. A reply from the requester brings a solved ticket back;
   * to a closed one it opens another that goes on with it, and that one is returned.
   */
  async add(
    actor: Actor,
    number: number,
    draft: NewFollowUp,
  ): Promise<{ ticket: Ticket; entry: TimelineEntry | null }> {
    const current = await findTicket(this.#deps.db, number);
    assertMaySee(actor, current);
    if (current.status === 'closed' && draft.visibility === 'public' && sideOf(actor, current) === 'asking') {
      return { ticket: await this.#goOn(actor, current, draft), entry: null };
    }
    return this.#deps.writer.move(actor, number, async (ticket) => {
      assertMayFollowUp(actor, ticket, draft);
      await this.#assertNothingNew(actor, ticket, draft.version);
      const trace = new Trace();
      const said = await this.#filtered(actor, ticket, draft, trace);
      const status = statusAfter(ticket.status, {
        side: sideOf(actor, ticket),
        visibility: said.visibility,
        then: thenOf(actor, ticket, draft),
      });
      return {
        trail: trace.telling,
        said: { kind: 'follow-up', ...said, attachments: draft.attachments ?? [] },
        change: status === ticket.status ? {} : { status },
        once: draft.once,
      };
    });
  }

  async #filtered(
    actor: Actor,
    ticket: Ticket,
    { body, visibility }: NewFollowUp,
    trace: Trace,
  ): Promise<FollowUpDraft> {
    const { hooks } = this.#deps;
    const context = { ...byOf(actor), ticket: factsOf(ticket) };
    const said = await hooks.filterWatched(followUpDraft, { body, visibility }, context, trace);
    assertMayFollowUp(actor, ticket, said);
    await hooks.veto(followUpMayAdd, { ...context, draft: said });
    return said;
  }

  async #goOn(actor: Actor, closed: Ticket, { body, attachments, once }: NewFollowUp): Promise<Ticket> {
    const others = [closed.requesterId, ...closed.observers].filter((id) => id !== actor.userId);
    return this.#deps.tickets.create(actor, {
      title: closed.title,
      description: body,
      entityId: closed.entityId,
      type: closed.type,
      urgency: closed.urgency,
      observers: others,
      followsId: closed.id,
      ...(attachments ? { attachments } : {}),
      once,
    });
  }

  /** Two answers to one question embarrass everybody: words of others that one has not read yet come first. */
  async #assertNothingNew(actor: Actor, ticket: Ticket, seen: number | undefined): Promise<void> {
    if (seen === undefined || seen >= ticket.version) return;
    const entries = await listEntries(this.#deps.db, ticket.id, { withPrivate: true });
    const isNews = (entry: TimelineEntry): boolean =>
      entry.ticketVersion > seen &&
      entry.kind !== 'change' &&
      entry.authorId !== actor.userId &&
      mayReadEntry(actor, ticket, entry);
    if (entries.some(isNews)) throw collision(ticket);
  }
}

/** Only those who help set a status with their words; solving has its own way. */
function thenOf(actor: Actor, ticket: Ticket, { then }: NewFollowUp): Status | undefined {
  if (then === undefined || sideOf(actor, ticket) !== 'helping') return undefined;
  if (!actor.can('ticket.update', ticket.entityId)) return undefined;
  if (then === 'solved' || then === 'closed') throw new ConflictError('ticket.solve-with-solution');
  return then;
}
