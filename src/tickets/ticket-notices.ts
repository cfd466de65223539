import type { Tx } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { People } from './people.ts';
import type { Ticket } from './ticket.ts';
import { labelOf } from './ticket.ts';
import type { Visibility } from './timeline.ts';

/** What people hear of; each is a kind they can choose about. */
export type NoticeKind =
  | 'ticket.created'
  | 'ticket.opened-for-you'
  | 'ticket.assigned'
  | 'ticket.replied'
  | 'ticket.noted'
  | 'ticket.solved'
  | 'ticket.reopened';

export const noticeKinds: readonly NoticeKind[] = [
  'ticket.created',
  'ticket.opened-for-you',
  'ticket.assigned',
  'ticket.replied',
  'ticket.noted',
  'ticket.solved',
  'ticket.reopened',
];

/** One piece of news for some people, by bell and by mail as each of them likes it. */
export interface Notice {
  kind: NoticeKind;
  recipients: string[];
  /** Values for the bell's sentence `tickets:notice.<kind>`, and for the mail. */
  params: { actor: string; number: number; title: string };
  /** What was said, for the mail only. */
  body: string;
  path: string;
  subject: { type: 'ticket'; id: string; label: string };
}

/** How news reaches people; `src/notifications` does it. */
export interface Notices {
  notify(tx: Tx, notice: Notice): Promise<void>;
}

export interface News {
  actor: Actor;
  before: Ticket | null;
  after: Ticket;
  /** The words that came with it. */
  said: { kind: 'follow-up' | 'solution'; visibility: Visibility; body: string; byHelper: boolean } | null;
}

/** Who is to hear of it, told apart by what it means to them. Asked before the transaction: it looks people up. */
export async function noticesFor(people: People, news: News): Promise<Notice[]> {
  const { actor } = news;
  const notices: Notice[] = [];
  for (const [kind, recipients] of await audiences(people, news)) {
    const others = [...new Set(recipients)].filter((id) => id !== actor.userId);
    if (others.length > 0) notices.push(noticeOf(kind, others, news));
  }
  return withoutRepeats(notices);
}

/** Nobody hears of one thing twice: the first, most telling notice stays. */
function withoutRepeats(notices: Notice[]): Notice[] {
  const told = new Set<string>();
  return notices
    .map((notice) => {
      const recipients = notice.recipients.filter((id) => !told.has(id));
      recipients.forEach((id) => told.add(id));
      return { ...notice, recipients };
    })
    .filter(({ recipients }) => recipients.length > 0);
}

type Audience = [NoticeKind, string[]];

async function audiences(people: People, { before, after, said, actor }: News): Promise<Audience[]> {
  const helpers = await helpersOf(people, after);
  const askers = [after.requesterId, ...after.observers];
  if (!before) return newTicket(people, after, { helpers, actor });
  const found: Audience[] = [];
  if (isReopened(before, after)) found.push(['ticket.reopened', helpers]);
  if (said?.kind === 'solution') found.push(['ticket.solved', askers]);
  if (said?.visibility === 'private') found.push(['ticket.noted', await privy(people, after, helpers)]);
  else if (said) found.push(['ticket.replied', said.byHelper ? askers : [...helpers, ...askers]]);
  if (!said && after.status === 'solved' && before.status !== 'solved') found.push(['ticket.solved', askers]);
  const added = await newHelpers(people, before, after);
  if (added.length > 0) found.unshift(['ticket.assigned', added]);
  return found;
}

export const isReopened = (before: Ticket, after: Ticket): boolean =>
  before.status === 'solved' && after.status === 'open';

/** Where nobody is assigned yet, those who assign hear of it. */
async function newTicket(
  people: People,
  ticket: Ticket,
  { helpers, actor }: { helpers: string[]; actor: Actor },
): Promise<Audience[]> {
  const told = helpers.length > 0 ? helpers : idsOf(await people.withRight('ticket.assign', ticket.entityId));
  const audiencesOfNew: Audience[] = [['ticket.created', told]];
  if (ticket.requesterId !== actor.userId) audiencesOfNew.unshift(['ticket.opened-for-you', [ticket.requesterId]]);
  return audiencesOfNew;
}

/** The people assigned; a group's members when no person is. */
async function helpersOf(people: People, { assignees }: Ticket): Promise<string[]> {
  if (assignees.users.length > 0) return assignees.users;
  const members = await Promise.all(assignees.groups.map((id) => people.membersOf(id)));
  return members.flat();
}

async function newHelpers(people: People, before: Ticket, after: Ticket): Promise<string[]> {
  const added = after.assignees.users.filter((id) => !before.assignees.users.includes(id));
  const groups = after.assignees.groups.filter((id) => !before.assignees.groups.includes(id));
  const members = await Promise.all(groups.map((id) => people.membersOf(id)));
  return [...added, ...members.flat()];
}

/** A note goes to those who may read it, and to nobody else. */
async function privy(people: People, { entityId }: Ticket, helpers: string[]): Promise<string[]> {
  const allowed = new Set(idsOf(await people.withRight('ticket.private', entityId)));
  return helpers.filter((id) => allowed.has(id));
}

const idsOf = (people: readonly { id: string }[]): string[] => people.map(({ id }) => id);

const noticeOf = (kind: NoticeKind, recipients: string[], { actor, after, said, before }: News): Notice => ({
  kind,
  recipients,
  params: { actor: actor.name, number: after.number, title: after.title },
  body: said?.body ?? (before ? '' : after.description),
  path: `/tickets/${String(after.number)}`,
  subject: { type: 'ticket', id: after.id, label: labelOf(after) },
});
