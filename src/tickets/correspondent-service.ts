import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/hooks.ts';
import { normaliseEmail } from '../identity/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError } from '../shared/errors.ts';
import {
  deleteCorrespondent,
  findCorrespondent,
  listWaitingTickets,
  saveCorrespondent,
} from './correspondent-repository.ts';
import type { People } from './people.ts';
import { tellNews } from './ticket-news.ts';
import { assertMaySee, isHelper } from './ticket-policy.ts';
import { findTicket, findTicketById, handOver } from './ticket-repository.ts';
import { afterChange, differences, labelOf, type Ticket } from './ticket.ts';
import { insertEntry } from './timeline-repository.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  people: People;
}

/** People without an account whom tickets are about, and how those tickets become theirs. */
export class CorrespondentService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The address a ticket waits for, for those who help with it. */
  async of(actor: Actor, ticket: Ticket): Promise<string | null> {
    if (!isHelper(actor, ticket)) return null;
    return (await findCorrespondent(this.#deps.db, ticket.id))?.email ?? null;
  }

  /** Whether somebody of the house stands in as its requester, so that it can become another's. */
  async isOpenToOthers(ticket: Ticket): Promise<boolean> {
    if (ticket.requesterId !== ticket.createdById) return false;
    const helpers = await this.#deps.people.withRight('ticket.reply', ticket.entityId);
    return helpers.some(({ id }) => id === ticket.requesterId);
  }

  /** Notes for whom a ticket was written down. */
  async note(actor: Actor, number: number, email: string): Promise<Ticket> {
    const { db } = this.#deps;
    const ticket = await findTicket(db, number);
    assertMaySee(actor, ticket);
    await this.assertMayNote(actor, ticket);
    await db.transaction((tx) => this.write(tx, actor, ticket, email));
    return ticket;
  }

  async mayNote(actor: Actor, ticket: Ticket): Promise<boolean> {
    return isHelper(actor, ticket) && (await this.isOpenToOthers(ticket));
  }

  async assertMayNote(actor: Actor, ticket: Ticket): Promise<void> {
    if (!isHelper(actor, ticket)) throw new ForbiddenError('ticket.may-not-reply');
    if (!(await this.isOpenToOthers(ticket))) throw new ConflictError('ticket.has-requester');
  }

  async write(tx: Tx, actor: Actor, ticket: Pick<Ticket, 'id'>, email: string): Promise<void> {
    const emailNorm = normaliseEmail(email);
    if (emailNorm === null)
      throw new InvalidInputError('input.invalid', { fields: [{ field: 'email', code: 'user.email' }] });
    await saveCorrespondent(tx, {
      ticketId: ticket.id,
      email: email.trim(),
      emailNorm,
      createdBy: actor.userId,
      createdAt: this.#deps.clock.now(),
    });
  }

  /** They have an account now: the ticket, and with a proven address all that waited for it, are theirs. Answers how many. */
  async adopt(
    tx: Tx,
    actor: Actor,
    { userId, ticketId, emailNorm }: { userId: string; ticketId: string | null; emailNorm: string | null },
  ): Promise<number> {
    let adopted = 0;
    for (const id of await listWaitingTickets(tx, { ticketId, emailNorm })) {
      if (!(await deleteCorrespondent(tx, id))) continue;
      if (await this.#handOver(tx, actor, id, userId)) adopted += 1;
    }
    return adopted;
  }

  async #handOver(tx: Tx, actor: Actor, ticketId: string, userId: string): Promise<boolean> {
    const { hooks, clock, audit } = this.#deps;
    const now = clock.now();
    const before = await findTicketById(tx, ticketId);
    if (before === null || before.requesterId === userId) return false;
    // Relative to whatever it is by now: nothing was judged on an older version.
    await handOver(tx, { ticketId, requesterId: userId, now });
    const after = afterChange(before, { requesterId: userId }, now);
    const changes = differences(before, after);
    await insertEntry(tx, {
      ticketId,
      entityId: after.entityId,
      ticketVersion: after.version,
      kind: 'change',
      visibility: 'public',
      authorId: actor.userId,
      authorName: actor.name,
      body: '',
      state: null,
      changes,
      writtenAt: now,
    });
    await audit.record(tx, actor, {
      action: 'ticket.updated',
      subject: { type: 'ticket', id: ticketId, label: labelOf(after) },
      entityId: after.entityId,
      before: { requesterId: before.requesterId },
      after: { requesterId: userId },
    });
    await tellNews(tx, hooks, { actor, before, after, changes, entry: null, attachments: [] });
    return true;
  }
}
