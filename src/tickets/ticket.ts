export const ticketTypes = ['request', 'incident'] as const;
export type TicketType = (typeof ticketTypes)[number];

export const statuses = ['new', 'open', 'pending', 'on-hold', 'solved', 'closed'] as const;
export type Status = (typeof statuses)[number];

/** Somebody still has to do something. */
export const activeStatuses = ['new', 'open', 'pending', 'on-hold'] as const satisfies readonly Status[];

/** 1 is very low, 5 is very high: urgency, impact and the priority that follows from them. */
export const levels = [1, 2, 3, 4, 5] as const;
export type Level = (typeof levels)[number];

export interface Assignees {
  users: string[];
  groups: string[];
}

export interface Ticket {
  id: string;
  /** What people say: "ticket 1042". */
  number: number;
  entityId: string;
  type: TicketType;
  title: string;
  /** Markdown. */
  description: string;
  categoryId: string | null;
  status: Status;
  urgency: Level;
  impact: Level;
  priority: Level;
  requesterId: string;
  /** Whoever wrote it down; the requester, unless somebody did it for them. */
  createdById: string | null;
  /** The closed ticket that this one goes on with. */
  followsId: string | null;
  createdAt: number;
  updatedAt: number;
  firstReplyAt: number | null;
  solvedAt: number | null;
  closedAt: number | null;
  version: number;
  observers: string[];
  assignees: Assignees;
}

/** What may be changed by hand, and is told in the timeline when it is. */
export type Editable = Pick<
  Ticket,
  | 'type'
  | 'title'
  | 'description'
  | 'categoryId'
  | 'status'
  | 'urgency'
  | 'impact'
  | 'requesterId'
  | 'observers'
  | 'assignees'
>;

/** Who speaks: those who need help, or those who give it. */
export type Side = 'asking' | 'helping';

export interface Utterance {
  side: Side;
  visibility: 'public' | 'private';
  /** The status the speaker asked for along with it. */
  then?: Status | undefined;
}

/** Where a ticket stands once this was said. New never comes back, and what is closed stays closed. */
export function statusAfter(status: Status, said: Utterance): Status {
  if (status === 'closed') return status;
  if (said.then !== undefined && mayBecome(status, said.then)) return said.then;
  if (said.visibility === 'private') return status;
  if (said.side === 'helping') return status === 'new' ? 'open' : status;
  return status === 'new' ? 'new' : 'open';
}

/** A ticket that somebody is to work on is no longer new. */
export const statusOnceAssigned = (status: Status): Status => (status === 'new' ? 'open' : status);

export function mayBecome(from: Status, to: Status): boolean {
  if (from === to) return true;
  return from !== 'closed' && to !== 'new';
}

/** That we wait for somebody else is no concern of the requester's: to them the ticket is open. */
export const statusForRequester = (status: Status): Status => (status === 'on-hold' ? 'open' : status);

export const isActive = (status: Status): boolean => status !== 'solved' && status !== 'closed';

/** Rows are urgency, columns are impact, 1 to 5. */
const priorities: readonly (readonly Level[])[] = [
  [1, 1, 2, 2, 2],
  [1, 2, 2, 3, 3],
  [2, 2, 3, 4, 4],
  [2, 3, 4, 4, 5],
  [2, 3, 4, 5, 5],
];

/** The matrix of ITIL, as most desks draw it. */
export const priorityOf = (urgency: Level, impact: Level): Level =>
  priorities[urgency - 1]?.[impact - 1] ?? 3;

export const isLevel = (value: number): value is Level => value >= 1 && value <= 5 && Number.isInteger(value);

/** What follows from a change: priority from urgency and impact, the marks of solving and closing from the status. */
export function afterChange(before: Ticket, change: Partial<Editable>, now: number): Ticket {
  const after = { ...before, ...change };
  after.priority = priorityOf(after.urgency, after.impact);
  after.solvedAt = isActive(after.status) ? null : (before.solvedAt ?? now);
  after.closedAt = after.status === 'closed' ? (before.closedAt ?? now) : null;
  after.updatedAt = now;
  after.version = before.version + 1;
  return after;
}

export interface FieldChange {
  field: keyof Editable | 'priority';
  from: unknown;
  to: unknown;
}

const toldFields = [
  'type',
  'title',
  'description',
  'categoryId',
  'status',
  'urgency',
  'impact',
  'priority',
  'requesterId',
  'observers',
  'assignees',
] as const;

export function differences(before: Ticket, after: Ticket): FieldChange[] {
  return toldFields
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({ field, from: before[field], to: after[field] }));
}

/** For logs, audit and mail subjects. */
export const labelOf = (ticket: Pick<Ticket, 'number' | 'title'>): string =>
  `#${String(ticket.number)} ${ticket.title}`;
