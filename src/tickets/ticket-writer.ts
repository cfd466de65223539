import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks, TracedStep } from '../hooks/index.ts';
import type { NotificationDraft } from '../notifications/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { UnavailableError } from '../shared/errors.ts';
import { claimDrafts } from './attachment-repository.ts';
import { insertMade, type Once } from './once-repository.ts';
import type { Attachment } from './attachment.ts';
import type { People } from './people.ts';
import { appendText, foldText } from '../shared/search-text.ts';
import { ticketMayAssign, ticketMayClose, ticketMayReopen, ticketNotices } from './desk-hooks.ts';
import { ticketMaySolve, ticketMayUpdate } from './ticket-hooks.ts';
import { byOf, factsOf, tellNews } from './ticket-news.ts';
import { isReopened, noticesFor, type News, type Notices } from './ticket-notices.ts';
import { assertMaySee, sideOf } from './ticket-policy.ts';
import {
  findTicket,
  insertTicket,
  readSearchText,
  replaceMembers,
  updateTicket,
  writeSearchText,
} from './ticket-repository.ts';
import { afterChange, differences, labelOf, type Editable, type FieldChange, type Ticket } from './ticket.ts';
import { insertEntry, judgeProposals } from './timeline-repository.ts';
import { insertTrail } from './trail-repository.ts';
import type { Said, TimelineEntry } from './timeline.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  people: People;
  notices: Notices;
}

/** What somebody wants to do to a ticket, judged and allowed. */
export interface Move {
  change?: Partial<Editable>;
  said?: Said & { attachments: readonly string[] };
  /** What plugins made of it. */
  trail?: readonly TracedStep[];
  /** The requester's answer to the solutions proposed so far. */
  verdict?: 'accepted' | 'refused';
  /** A call that may come again. */
  once?: Once | undefined;
}

export interface Moved {
  ticket: Ticket;
  entry: TimelineEntry | null;
}

const MOST_TRIES = 20;
const PAUSE_MS = 10;

/** The transaction was judged on a version that is no longer the last. */
class Outrun extends Error {}

/** Writes to tickets, always over the version that was judged, with all that goes with it: timeline, search, audit, news. */
export class TicketWriter {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async create(
    actor: Actor,
    ticket: Ticket,
    {
      attachments,
      trail = [],
      once,
    }: { attachments: readonly string[]; trail?: readonly TracedStep[]; once?: Once | undefined },
  ): Promise<Ticket> {
    const { db } = this.#deps;
    const notices = await this.#noticesFor({ actor, before: null, after: ticket, said: null });
    return db.transaction(async (tx) => {
      if (once) await insertMade(tx, once, { ticketId: ticket.id, entryId: null });
      await insertTicket(tx, ticket, foldText(ticket.title, ticket.description));
      await insertTrail(tx, ticket, trail);
      const claimed = await claim(tx, actor, attachments, { ticketId: ticket.id, entryId: null });
      await this.#recordCreation(tx, actor, ticket);
      await this.#tell(
        tx,
        { actor, before: null, after: ticket, changes: [], entry: null, attachments: claimed },
        notices,
      );
      return ticket;
    });
  }

  /** `judge` sees the ticket as it stands and says what is to happen; when somebody was quicker, it is asked again. */
  async move(actor: Actor, number: number, judge: (ticket: Ticket) => Promise<Move>): Promise<Moved> {
    for (let tried = 1; tried <= MOST_TRIES; tried += 1) {
      const before = await findTicket(this.#deps.db, number);
      assertMaySee(actor, before);
      const moved = await this.#tryMove(actor, before, await judge(before));
      if (moved) return moved;
      await sleep(Math.random() * PAUSE_MS * tried);
    }
    throw new UnavailableError('ticket.busy', { retryAfter: 1 });
  }

  async #tryMove(actor: Actor, before: Ticket, move: Move): Promise<Moved | null> {
    const after = this.#afterMove(actor, before, move);
    const changes = differences(before, after);
    if (changes.length === 0 && !move.said) return { ticket: before, entry: null };
    await this.#askVetoes(actor, { before, after, move });
    const notices = await this.#noticesFor(newsOf(actor, { before, after, move }));
    try {
      return await this.#deps.db.transaction((tx) =>
        this.#write(tx, actor, { before, after, changes, move, notices }),
      );
    } catch (error) {
      if (error instanceof Outrun) return null;
      throw error;
    }
  }

  #afterMove(actor: Actor, before: Ticket, { change, said }: Move): Ticket {
    const now = this.#deps.clock.now();
    const after = afterChange(before, change ?? {}, now);
    const isFirstReply = said?.visibility === 'public' && sideOf(actor, before) === 'helping';
    return isFirstReply ? { ...after, firstReplyAt: before.firstReplyAt ?? now } : after;
  }

  async #askVetoes(
    actor: Actor,
    { before, after, move }: { before: Ticket; after: Ticket; move: Move },
  ): Promise<void> {
    const { hooks } = this.#deps;
    const by = byOf(actor);
    const ticket = factsOf(before);
    if (move.change) await hooks.veto(ticketMayUpdate, { ...by, ticket, change: { ...move.change } });
    if (after.status === 'solved' && before.status !== 'solved')
      await hooks.veto(ticketMaySolve, { ...by, ticket });
    if (after.status === 'closed' && before.status !== 'closed')
      await hooks.veto(ticketMayClose, { ...by, ticket });
    if (isReopened(before, after)) await hooks.veto(ticketMayReopen, { ...by, ticket });
    if (move.change?.assignees)
      await hooks.veto(ticketMayAssign, { ...by, ticket, assignees: after.assignees });
  }

  async #write(tx: Tx, actor: Actor, planned: Planned): Promise<Moved> {
    const { before, after, changes, move } = planned;
    if (!(await updateTicket(tx, after))) throw new Outrun();
    if (changes.some(({ field }) => field === 'observers' || field === 'assignees'))
      await replaceMembers(tx, after);
    await insertTrail(tx, after, move.trail ?? []);
    if (move.verdict) await judgeProposals(tx, after.id, move.verdict);

    const entry = move.said ? await insertEntry(tx, this.#entryOf(actor, after, move.said)) : null;
    if (move.once) await insertMade(tx, move.once, { ticketId: after.id, entryId: entry?.id ?? null });
    if (changes.length > 0) await insertEntry(tx, this.#changeEntry(actor, after, changes));
    const to = { ticketId: after.id, entryId: entry?.id ?? null };
    const attachments = await claim(tx, actor, move.said?.attachments ?? [], to);
    await addToSearch(tx, planned);
    if (changes.length > 0) await this.#recordChange(tx, actor, { after, changes });
    await this.#tell(tx, { actor, before, after, changes, entry, attachments }, planned.notices);
    return { ticket: after, entry };
  }

  #entryOf(actor: Actor, after: Ticket, { kind, visibility, body }: Said): Omit<TimelineEntry, 'id'> {
    return {
      ticketId: after.id,
      entityId: after.entityId,
      ticketVersion: after.version,
      kind,
      visibility,
      authorId: actor.userId,
      authorName: actor.name,
      body,
      state: kind === 'solution' ? 'proposed' : null,
      changes: null,
      writtenAt: after.updatedAt,
    };
  }

  #changeEntry(actor: Actor, after: Ticket, changes: FieldChange[]): Omit<TimelineEntry, 'id'> {
    const said = this.#entryOf(actor, after, { kind: 'follow-up', visibility: 'public', body: '' });
    return { ...said, kind: 'change', changes };
  }

  async #noticesFor(news: News): Promise<readonly NotificationDraft[]> {
    const { people, hooks } = this.#deps;
    const about = { ...byOf(news.actor), ticket: factsOf(news.after) };
    return hooks.filter(ticketNotices, await noticesFor(people, news), about);
  }

  async #tell(
    tx: Tx,
    happened: Parameters<typeof tellNews>[2],
    notices: readonly NotificationDraft[],
  ): Promise<void> {
    await tellNews(tx, this.#deps.hooks, happened);
    for (const notice of notices) await this.#deps.notices.notify(tx, notice);
  }

  async #recordCreation(tx: Tx, actor: Actor, ticket: Ticket): Promise<void> {
    const { title, type, requesterId, followsId } = ticket;
    await this.#deps.audit.record(tx, actor, {
      action: 'ticket.created',
      subject: { type: 'ticket', id: ticket.id, label: labelOf(ticket) },
      entityId: ticket.entityId,
      after: { title, type, requesterId, ...(followsId ? { followsId } : {}) },
    });
  }

  async #recordChange(
    tx: Tx,
    actor: Actor,
    { after, changes }: { after: Ticket; changes: readonly FieldChange[] },
  ): Promise<void> {
    await this.#deps.audit.record(tx, actor, {
      action: 'ticket.updated',
      subject: { type: 'ticket', id: after.id, label: labelOf(after) },
      entityId: after.entityId,
      before: Object.fromEntries(changes.map(({ field, from }) => [field, from])),
      after: Object.fromEntries(changes.map(({ field, to }) => [field, to])),
    });
  }
}

interface Planned {
  before: Ticket;
  after: Ticket;
  changes: FieldChange[];
  move: Move;
  notices: readonly NotificationDraft[];
}

function newsOf(
  actor: Actor,
  { before, after, move: { said } }: { before: Ticket; after: Ticket; move: Move },
): News {
  const byHelper = sideOf(actor, before) === 'helping';
  return { actor, before, after, said: said ? { ...said, byHelper } : null };
}

async function claim(
  tx: Tx,
  actor: Actor,
  ids: readonly string[],
  to: { ticketId: string; entryId: string | null },
): Promise<Attachment[]> {
  return actor.userId === null ? [] : claimDrafts(tx, ids, { ...to, uploaderId: actor.userId });
}

/** Private notes stay out of the index: what one may not read, one may not find. */
async function addToSearch(tx: Tx, { after, changes, move }: Planned): Promise<void> {
  const texts = changes
    .filter(({ field }) => field === 'title' || field === 'description')
    .map(({ to }) => String(to));
  if (move.said?.visibility === 'public') texts.push(move.said.body);
  if (texts.length === 0) return;
  await writeSearchText(tx, after.id, appendText(await readSearchText(tx, after.id), ...texts));
}
