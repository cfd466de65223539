import type { NotificationDraft, NotificationKind, NotificationService } from '../notifications/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { People } from './people.ts';
import type { Ticket } from './ticket.ts';
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

const noticeLooks: Record<NoticeKind, { icon: string; mail: boolean }> = {
  'ticket.created': { icon: 'sparkles', mail: true },
  'ticket.opened-for-you': { icon: 'ticket', mail: true },
  'ticket.assigned': { icon: 'user-check', mail: true },
  'ticket.replied': { icon: 'message', mail: true },
  'ticket.noted': { icon: 'note', mail: false },
  'ticket.solved': { icon: 'circle-check', mail: true },
  'ticket.reopened': { icon: 'rotate', mail: true },
};

/** For `NotificationService.addKind`. */
export const ticketNoticeKinds: readonly NotificationKind[] = noticeKindsFrom(noticeLooks);

function noticeKindsFrom(looks: Record<string, { icon: string; mail: boolean }>): NotificationKind[] {
  return Object.entries(looks).map(([id, { icon, mail }]) => ({
    id,
    text: `tickets:notice.${id}`,
    label: `tickets:notice-kind.${id}`,
    icon,
    bell: true,
    mail,
  }));
}

/** How news reaches people. */
export type Notices = Pick<NotificationService, 'notify' | 'unread' | 'markSeen'>;

export interface News {
  actor: Actor;
  before: Ticket | null;
  after: Ticket;
  /** The words that came with it. */
  said: { kind: 'follow-up' | 'solution'; visibility: Visibility; body: string; byHelper: boolean } | null;
}

/** Who is to hear of it, told apart by what it means to them. Asked before the transaction: it looks people up. */
export async function noticesFor(people: People, news: News): Promise<NotificationDraft[]> {
  const { actor } = news;
  const notices: NotificationDraft[] = [];
  for (const [kind, recipients] of await audiences(people, news)) {
    const others = [...new Set(recipients)].filter((id) => id !== actor.userId);
    if (others.length > 0) notices.push(noticeOf(kind, others, news));
  }
  return withoutRepeats(notices);
}

/** Nobody hears of one thing twice: the first, most telling notice stays. */
function withoutRepeats(notices: NotificationDraft[]): NotificationDraft[] {
  const told = new Set<string>();
  return notices
    .map((notice) => {
      const userIds = notice.userIds.filter((id) => !told.has(id));
      userIds.forEach((id) => told.add(id));
      return { ...notice, userIds };
    })
    .filter(({ userIds }) => userIds.length > 0);
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
  if (ticket.requesterId !== actor.userId)
    audiencesOfNew.unshift(['ticket.opened-for-you', [ticket.requesterId]]);
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

function noticeOf(
  kind: NoticeKind,
  userIds: string[],
  { actor, after, said, before }: News,
): NotificationDraft {
  const link = `/tickets/${String(after.number)}`;
  const params = { actor: actor.name, number: after.number, title: after.title };
  const body = said?.body ?? (before ? '' : after.description);
  return {
    kind,
    userIds,
    subject: { type: 'ticket', id: after.id },
    entityId: after.entityId,
    link,
    params,
    mail: {
      template: 'mail/ticket-news',
      model: { text: `tickets:notice.${kind}`, link, params, body, judge: kind === 'ticket.solved' },
    },
  };
}
