import type { Database } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, NotFoundError, UnauthenticatedError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { queryOf, type TicketFilter } from './ticket-filter.ts';
import { deleteView, insertView, listViews } from './ticket-view-repository.ts';
import type { TicketView } from './ticket-view.ts';

interface Deps {
  db: Database;
  clock: Clock;
}

/** Filters that people keep under a name, for themselves or for everybody of an entity. */
export class TicketViewService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor): Promise<TicketView[]> {
    if (actor.userId === null) return [];
    return listViews(this.#deps.db, { ownerId: actor.userId, entities: actor.entitiesWith('ticket.read') });
  }

  async save(
    actor: Actor,
    { name, filter, sharedIn }: { name: string; filter: TicketFilter; sharedIn: string | null },
  ): Promise<TicketView> {
    const { db, clock } = this.#deps;
    if (actor.userId === null) throw new UnauthenticatedError('access.sign-in');
    if (sharedIn !== null && !actor.can('ticket.share-view', sharedIn))
      throw new ForbiddenError('ticket.may-not-share');
    const view: TicketView = {
      id: newId(),
      ownerId: actor.userId,
      entityId: sharedIn,
      name,
      filters: queryOf(filter),
      createdAt: clock.now(),
    };
    await db.transaction((tx) => insertView(tx, view));
    return view;
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const ownerId = actor.userId ?? '';
    const isGone = await this.#deps.db.transaction((tx) => deleteView(tx, { id, ownerId }));
    if (!isGone) throw new NotFoundError('ticket.unknown-view');
  }
}
