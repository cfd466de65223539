import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Actor } from '../shared/actor.ts';
import { KnownError } from '../shared/errors.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type { People } from './people.ts';
import type { TicketFilter } from './ticket-filter.ts';
import { firstTickets, listTickets, type Scope, type TicketSummary } from './ticket-list-repository.ts';
import { ticketExport, ticketListed, ticketSearch } from './desk-hooks.ts';
import { searchExamples, withSearchFields } from './search-fields.ts';
import type { TicketService } from './ticket-service.ts';
import type { Assignees, Editable } from './ticket.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  people: People;
  tickets: TicketService;
}

/** A change for many tickets at once. People and groups are added to those assigned, not put in their place. */
export interface BulkChange extends Partial<Pick<Editable, 'status' | 'urgency' | 'impact' | 'categoryId'>> {
  assignees?: Assignees;
}

export interface BulkResult {
  changed: number[];
  refused: { number: number; code: string }[];
}

export const MOST_AT_ONCE = 100;
const MOST_EXPORTED = 10_000;

/** Many tickets at once: lists, exports, bulk changes. */
export class TicketListService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor, asked: TicketFilter, page: PageRequest): Promise<Page<TicketSummary>> {
    const { db, hooks } = this.#deps;
    const about = { actorId: actor.userId };
    const filter = await this.#understood(actor, asked);
    const found = await listTickets(db, await this.scopeOf(actor), filter, page);
    return { ...found, items: [...(await hooks.filter(ticketListed, found.items, about))] };
  }

  async first(actor: Actor, filter: TicketFilter, limit: number): Promise<TicketSummary[]> {
    return firstTickets(this.#deps.db, await this.scopeOf(actor), filter, limit);
  }

  /** What leaves the house in a file needs a right of its own, in each entity it comes from. */
  async forExport(actor: Actor, asked: TicketFilter): Promise<TicketSummary[]> {
    const filter = await this.#understood(actor, asked);
    const readable = await firstTickets(this.#deps.db, await this.scopeOf(actor), filter, MOST_EXPORTED);
    const allowed = readable.filter(({ entityId }) => actor.can('ticket.export', entityId));
    return [...(await this.#deps.hooks.filter(ticketExport, allowed, { actorId: actor.userId }))];
  }

  /** What plugins make of the question. */
  async #understood(actor: Actor, asked: TicketFilter): Promise<TicketFilter> {
    const { hooks } = this.#deps;
    return withSearchFields(hooks, actor, await hooks.filter(ticketSearch, asked, { actorId: actor.userId }));
  }

  /** `tag:vip`: what may be typed besides words. */
  searchExamples(actor: Actor): Promise<string[]> {
    return searchExamples(this.#deps.hooks, actor);
  }

  async scopeOf(actor: Actor): Promise<Scope> {
    const groups = actor.userId === null ? [] : await this.#deps.people.groupsOf(actor.userId);
    return { entities: actor.entitiesWith('ticket.read'), userId: actor.userId, groups };
  }

  /** Each on its own: what is refused for one ticket does not stop the others. */
  async change(actor: Actor, numbers: readonly number[], wanted: BulkChange): Promise<BulkResult> {
    const result: BulkResult = { changed: [], refused: [] };
    for (const number of [...new Set(numbers)].slice(0, MOST_AT_ONCE)) {
      try {
        await this.#changeOne(actor, number, wanted);
        result.changed.push(number);
      } catch (error) {
        if (!(error instanceof KnownError)) throw error;
        result.refused.push({ number, code: error.code });
      }
    }
    return result;
  }

  async #changeOne(actor: Actor, number: number, { assignees, ...change }: BulkChange): Promise<void> {
    const { tickets } = this.#deps;
    if (!assignees) {
      await tickets.changeNow(actor, number, change);
      return;
    }
    const ticket = await tickets.find(actor, number);
    const joined = {
      users: [...ticket.assignees.users, ...assignees.users],
      groups: [...ticket.assignees.groups, ...assignees.groups],
    };
    await tickets.changeNow(actor, number, { ...change, assignees: joined });
  }
}
