import type { Actor } from '../shared/actor.ts';
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts';
import { mayBecome, type Editable, type Side, type Status, type Ticket } from './ticket.ts';
import type { FollowUpDraft, TimelineEntry } from './timeline.ts';

/** What it takes to know somebody's part in a ticket. */
type Parties = Pick<Ticket, 'entityId' | 'requesterId' | 'observers' | 'assignees'>;

/** A ticket one may not see does not exist: 404, so that nobody can count what is hidden. */
export function assertMaySee(actor: Actor, ticket: Ticket | null): asserts ticket is Ticket {
  if (!ticket || !maySee(actor, ticket)) throw new NotFoundError('ticket.unknown');
}

export const maySee = (actor: Actor, ticket: Ticket): boolean =>
  isInvolved(actor, ticket) || actor.can('ticket.read', ticket.entityId);

/** Everybody whose ticket it is in some way, whatever their rights. */
function isInvolved({ userId }: Actor, { requesterId, observers, assignees }: Ticket): boolean {
  if (userId === null) return false;
  return userId === requesterId || observers.includes(userId) || assignees.users.includes(userId);
}

export const isRequester = (actor: Actor, ticket: Ticket): boolean =>
  actor.userId !== null && actor.userId === ticket.requesterId;

/** Help comes from whoever may reply in this entity, and from whoever was assigned; all others ask for it. */
export function sideOf(actor: Actor, ticket: Ticket): Side {
  if (isRequester(actor, ticket)) return 'asking';
  return isHelper(actor, ticket) ? 'helping' : 'asking';
}

export const isHelper = (actor: Actor, ticket: Parties): boolean =>
  actor.can('ticket.reply', ticket.entityId) ||
  (actor.userId !== null && ticket.assignees.users.includes(actor.userId));

/** Notes, facts and tools of the helping side are shown. */
export const seesAsHelper = (actor: Actor, ticket: Parties): boolean =>
  isHelper(actor, ticket) || actor.can('ticket.read', ticket.entityId);

export const mayReadPrivate = (actor: Actor, ticket: Ticket): boolean =>
  actor.can('ticket.private', ticket.entityId);

export function assertMayCreate(actor: Actor, entityId: string, requesterId: string): void {
  if (!actor.can('ticket.create', entityId)) throw new ForbiddenError('ticket.may-not-create');
  if (requesterId !== actor.userId && !actor.can('ticket.create-for-others', entityId)) {
    throw new ForbiddenError('ticket.may-not-create-for-others');
  }
}

export function assertMayFollowUp(actor: Actor, ticket: Ticket, draft: FollowUpDraft): void {
  assertMaySee(actor, ticket);
  if (ticket.status === 'closed') throw new ConflictError('ticket.closed');
  if (draft.visibility === 'private' && !mayReadPrivate(actor, ticket)) {
    throw new ForbiddenError('ticket.may-not-note');
  }
  if (!isInvolved(actor, ticket) && !isHelper(actor, ticket))
    throw new ForbiddenError('ticket.may-not-reply');
}

/** Each field asks for the right that it touches. */
export function assertMayChange(actor: Actor, ticket: Ticket, change: Partial<Editable>): void {
  assertMaySee(actor, ticket);
  const { status, assignees, ...rest } = change;
  if (ticket.status === 'closed') throw new ConflictError('ticket.closed');
  if (assignees) assertCan(actor, 'ticket.assign', ticket);
  if (status !== undefined) assertMaySetStatus(actor, ticket, status);
  if (Object.keys(rest).length > 0) assertCan(actor, 'ticket.update', ticket);
}

function assertMaySetStatus(actor: Actor, ticket: Ticket, status: Status): void {
  assertCan(actor, status === 'solved' || status === 'closed' ? 'ticket.solve' : 'ticket.update', ticket);
  if (!mayBecome(ticket.status, status)) {
    throw new ConflictError('ticket.status-not-possible', { params: { from: ticket.status, to: status } });
  }
}

export function assertMaySolve(actor: Actor, ticket: Ticket): void {
  assertMaySee(actor, ticket);
  if (ticket.status === 'closed') throw new ConflictError('ticket.closed');
  assertCan(actor, 'ticket.solve', ticket);
}

/** The requester says whether it helped; nobody else can. */
export function assertMayJudgeSolution(actor: Actor, ticket: Ticket): void {
  assertMaySee(actor, ticket);
  if (!isRequester(actor, ticket)) throw new ForbiddenError('ticket.only-requester-judges');
  if (ticket.status !== 'solved') throw new ConflictError('ticket.not-solved');
}

export const mayReadEntry = (
  actor: Actor,
  ticket: Ticket,
  entry: Pick<TimelineEntry, 'visibility'>,
): boolean => entry.visibility === 'public' || mayReadPrivate(actor, ticket);

function assertCan(actor: Actor, right: string, ticket: Ticket): void {
  if (!actor.can(right, ticket.entityId))
    throw new ForbiddenError('ticket.may-not-change', { params: { right } });
}
