import type { Database } from '../db/database.ts';
import { nextNumber } from '../db/sequences.ts';
import { Trace, type Hooks, type TracedStep } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, UnauthenticatedError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { findCategory } from './category-repository.ts';
import { isOffered } from './category.ts';
import { lineage, type People } from './people.ts';
import { ticketDraft, ticketMayCreate, type TicketDraft } from './ticket-hooks.ts';
import { ticketChange } from './desk-hooks.ts';
import { byOf, factsOf } from './ticket-news.ts';
import type { Once } from './once-repository.ts';
import { assertMayChange, assertMayCreate, assertMaySee, maySee } from './ticket-policy.ts';
import { findTicket, findTicketById, followersOf } from './ticket-repository.ts';
import { listTrail, type TrailStep } from './trail-repository.ts';
import type { TicketWriter } from './ticket-writer.ts';
import { priorityOf, statusOnceAssigned, type Assignees, type Editable, type Ticket } from './ticket.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  people: People;
  writer: TicketWriter;
}

/** What is needed to open a ticket; the rest has a sensible beginning. */
export interface NewTicket extends Partial<Omit<TicketDraft, 'title' | 'description' | 'entityId'>> {
  title: string;
  description: string;
  /** Needed where one may open tickets in several. */
  entityId?: string | undefined;
  attachments?: readonly string[];
  followsId?: string;
  /** A call that may come again. */
  once?: Once | undefined;
}

/** Opens tickets, finds them again and changes their facts. */
export class TicketService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async find(actor: Actor, number: number): Promise<Ticket> {
    const ticket = await findTicket(this.#deps.db, number);
    assertMaySee(actor, ticket);
    return ticket;
  }

  /** The closed ticket it goes on with, and those that go on with it, as far as this actor may see them. */
  async relatives(actor: Actor, ticket: Ticket): Promise<{ follows: Ticket | null; followedBy: Ticket[] }> {
    const { db } = this.#deps;
    const follows = ticket.followsId === null ? null : await findTicketById(db, ticket.followsId);
    const seen = (other: Ticket): boolean => maySee(actor, other);
    return {
      follows: follows && seen(follows) ? follows : null,
      followedBy: (await followersOf(db, ticket.id)).filter(seen),
    };
  }

  /** Opens a ticket; assigned at once, it is not new any more. */
  async create(actor: Actor, wanted: NewTicket): Promise<Ticket> {
    const { db, hooks, writer } = this.#deps;
    const asked = await this.#draftFrom(actor, wanted);
    assertMayCreate(actor, asked.entityId, asked.requesterId);
    const trace = new Trace();
    const within = this.#withinRights(actor, asked);
    const draft = await hooks.filterWatched(ticketDraft, within, byOf(actor), trace);
    await this.#assertSound(draft);
    await hooks.veto(ticketMayCreate, { ...byOf(actor), draft });
    const ticket = this.#ticketFrom(actor, draft, {
      number: await nextNumber(db, 'tickets'),
      followsId: wanted.followsId ?? null,
    });
    return writer.create(actor, ticket, {
      attachments: wanted.attachments ?? [],
      trail: trace.telling,
      once: wanted.once,
    });
  }

  /** Changes facts of the ticket as `version` showed them; whoever comes second is told what the first one did. */
  async update(
    actor: Actor,
    number: number,
    wanted: { version: number; change: Partial<Editable> },
  ): Promise<Ticket> {
    const { ticket } = await this.#deps.writer.move(actor, number, async (current) => {
      const { change, trail } = await this.#changeOf(actor, current, wanted.change);
      assertMayChange(actor, current, change);
      if (current.version !== wanted.version) throw collision(current);
      await this.#assertSoundChange(current, change);
      return { change, trail };
    });
    return ticket;
  }

  /** As `update`, for whoever cannot have seen a version: bulk actions and jobs. */
  async changeNow(actor: Actor, number: number, change: Partial<Editable>): Promise<Ticket> {
    const { ticket } = await this.#deps.writer.move(actor, number, async (current) => {
      const { change: whole, trail } = await this.#changeOf(actor, current, change);
      assertMayChange(actor, current, whole);
      await this.#assertSoundChange(current, whole);
      return { change: whole, trail };
    });
    return ticket;
  }

  /** What plugins make of it, with all that follows from that. */
  async #changeOf(
    actor: Actor,
    ticket: Ticket,
    asked: Partial<Editable>,
  ): Promise<{ change: Partial<Editable>; trail: readonly TracedStep[] }> {
    const trace = new Trace();
    const about = { ...byOf(actor), ticket: factsOf(ticket) };
    const change = await this.#deps.hooks.filterWatched(ticketChange, asked, about, trace);
    return { change: withConsequences(ticket, tidy(change)), trail: trace.telling };
  }

  /** Which plugin changed what of this ticket, as it was written; for those who manage plugins. */
  async trail(actor: Actor, number: number): Promise<{ ticket: Ticket; steps: TrailStep[] }> {
    if (!actor.can('plugin.manage')) throw new ForbiddenError('access.right');
    const ticket = await this.find(actor, number);
    return { ticket, steps: await listTrail(this.#deps.db, ticket.id) };
  }

  async #draftFrom(actor: Actor, wanted: NewTicket): Promise<TicketDraft> {
    const requesterId = wanted.requesterId ?? actor.userId;
    if (requesterId === null) throw new UnauthenticatedError('ticket.needs-requester');
    return {
      entityId: wanted.entityId ?? (await this.#usualEntity(actor)),
      type: wanted.type ?? 'request',
      title: wanted.title,
      description: wanted.description,
      categoryId: wanted.categoryId ?? null,
      urgency: wanted.urgency ?? 3,
      impact: wanted.impact ?? 3,
      requesterId,
      observers: wanted.observers ?? [],
      assignees: wanted.assignees ?? { users: [], groups: [] },
    };
  }

  /** Where somebody is at home, if they may open tickets there; else the first entity where they may. */
  async #usualEntity(actor: Actor): Promise<string> {
    const entities = await this.entitiesFor(actor);
    const home = actor.userId === null ? null : await this.#deps.people.homeEntityOf(actor.userId);
    const usual = entities.find(({ id }) => id === home) ?? entities[0];
    if (!usual) throw new ForbiddenError('ticket.may-not-create');
    return usual.id;
  }

  /** Where this actor may open tickets, in the order of the tree. */
  async entitiesFor(actor: Actor): Promise<{ id: string; name: string; path: string }[]> {
    const mayIn = actor.entitiesWith('ticket.create');
    const entities = await this.#deps.people.entities();
    return mayIn === 'all' ? entities : entities.filter(({ id }) => mayIn.includes(id));
  }

  /** What one may not decide is left to those who may. */
  #withinRights(actor: Actor, draft: TicketDraft): TicketDraft {
    const mayAssign = actor.can('ticket.assign', draft.entityId);
    const mayUpdate = actor.can('ticket.update', draft.entityId);
    return {
      ...draft,
      assignees: mayAssign ? draft.assignees : { users: [], groups: [] },
      impact: mayUpdate ? draft.impact : 3,
    };
  }

  #ticketFrom(
    actor: Actor,
    { assignees, observers, ...draft }: TicketDraft,
    { number, followsId }: { number: number; followsId: string | null },
  ): Ticket {
    const now = this.#deps.clock.now();
    const people = tidy({ assignees, observers: observers.filter((id) => id !== draft.requesterId) });
    const isAssigned = assignees.users.length + assignees.groups.length > 0;
    return {
      ...draft,
      ...people,
      id: newId(),
      number,
      followsId,
      status: isAssigned ? statusOnceAssigned('new') : 'new',
      priority: priorityOf(draft.urgency, draft.impact),
      createdById: actor.userId,
      createdAt: now,
      updatedAt: now,
      firstReplyAt: null,
      solvedAt: null,
      closedAt: null,
      version: 1,
    };
  }

  async #assertSound(draft: TicketDraft): Promise<void> {
    const { people } = this.#deps;
    const entities = await people.entities();
    if (!entities.some(({ id }) => id === draft.entityId))
      throw refusedField('entityId', 'ticket.unknown-entity');
    await this.#assertCategory(draft.categoryId, lineage(entities, draft.entityId));
    await this.#assertPeople([draft.requesterId, ...draft.observers], draft.assignees);
  }

  async #assertSoundChange(ticket: Ticket, change: Partial<Editable>): Promise<void> {
    if (change.categoryId !== undefined && change.categoryId !== ticket.categoryId) {
      await this.#assertCategory(
        change.categoryId,
        lineage(await this.#deps.people.entities(), ticket.entityId),
      );
    }
    const people = [change.requesterId ?? [], change.observers ?? []].flat();
    await this.#assertPeople(people, change.assignees ?? { users: [], groups: [] });
  }

  async #assertCategory(id: string | null, line: readonly string[]): Promise<void> {
    if (id === null) return;
    const category = await findCategory(this.#deps.db, id);
    if (!category || !isOffered(category, line)) throw refusedField('categoryId', 'ticket.unknown-category');
  }

  async #assertPeople(others: readonly string[], assignees: Assignees): Promise<void> {
    const { people } = this.#deps;
    const wanted = [...new Set([...others, ...assignees.users])];
    const known = wanted.length > 0 ? await people.named(wanted) : new Map();
    if (wanted.some((id) => !known.has(id))) throw refusedField('people', 'ticket.unknown-person');
    if (assignees.groups.length === 0) return;
    const groups = new Set((await people.groups()).map(({ id }) => id));
    if (assignees.groups.some((id) => !groups.has(id)))
      throw refusedField('assignees', 'ticket.unknown-group');
  }
}

/** Somebody else changed it since it was read; the page shows what. */
export const collision = ({ number, version }: Ticket): ConflictError =>
  new ConflictError('ticket.changed', { params: { number, version } });

const refusedField = (field: string, code: string): InvalidInputError =>
  new InvalidInputError(code, { fields: [{ field, code }] });

function withConsequences(ticket: Ticket, change: Partial<Editable>): Partial<Editable> {
  const { assignees, status } = change;
  const isAssigned = assignees !== undefined && assignees.users.length + assignees.groups.length > 0;
  if (!isAssigned || (status !== undefined && status !== 'new')) return change;
  const once = statusOnceAssigned(ticket.status);
  return once === ticket.status ? change : { ...change, status: once };
}

/** Lists of people without repeats and always in one order, so that equal lists look equal. */
function tidy<C extends Partial<Editable>>(change: C): C {
  const sorted = (ids: string[]): string[] => [...new Set(ids)].sort();
  return {
    ...change,
    ...(change.observers ? { observers: sorted(change.observers) } : {}),
    ...(change.assignees
      ? { assignees: { users: sorted(change.assignees.users), groups: sorted(change.assignees.groups) } }
      : {}),
  };
}
