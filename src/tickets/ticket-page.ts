import { view, type Reply } from '../http/reply.ts';
import type { Actor } from '../shared/actor.ts';
import type { KnownError } from '../shared/errors.ts';
import type { Category } from './category.ts';
import type { Conversation } from './follow-up-service.ts';
import type { Group, Person } from './people.ts';
import { typedFrom, typedList, typedText } from './ticket-forms.ts';
import { mayReadPrivate, sideOf } from './ticket-policy.ts';
import { presentAttachment } from './attachment-presenter.ts';
import type { TicketServices } from './ticket-services.ts';
import { levelKey, statusKey, type Choice } from './ticket-words.ts';
import { nothingTyped, typedFacts, type TypedFacts } from './typed-facts.ts';
import { levels, mayBecome, statuses, ticketTypes, type Ticket } from './ticket.ts';

/** A form of the page that was refused: what was typed, and why. */
export interface RefusedForm {
  form: 'reply' | 'facts' | 'reason';
  body: unknown;
  error: KnownError;
}

type Typed = Record<string, string | string[]>;

/** `/tickets/42`: the conversation, the facts, the reply box; also after a form of it was refused. */
export async function ticketPage(
  services: TicketServices,
  actor: Actor,
  number: number,
  refused?: RefusedForm,
): Promise<Reply> {
  const conversation = await services.followUps.read(actor, number);
  const { ticket } = conversation;
  const typed: Typed = refused ? typedFrom(refused.body) : {};
  const isCollision = refused?.error.code === 'ticket.changed';
  const seen = isCollision ? Number(typed['version']) : undefined;
  const page = await services.presenter.ticket(actor, conversation, { seen });
  const relatives = await services.tickets.relatives(actor, ticket);
  return view('tickets/ticket', {
    ...page,
    mayTrail: actor.can('plugin.manage'),
    slots: {
      'ticket.sidebar': { number: ticket.number, entityId: ticket.entityId },
      'ticket.reply': { number: ticket.number, entityId: ticket.entityId },
    },
    correspondent: await services.correspondents.of(actor, ticket),
    collision: isCollision ? { form: refused.form, news: page.items.filter(({ isNew }) => isNew) } : null,
    follows: relatives.follows && presentLink(relatives.follows),
    followedBy: relatives.followedBy.map(presentLink),
    ...(await replyBox(services, actor, { conversation, typed: refused?.form === 'reply' ? typed : {} })),
    ...(await factsForm(services, actor, {
      ticket,
      typed: refused?.form === 'facts' ? typedFacts(typed, conversation.entries, seen) : nothingTyped,
      observerEmails: refused?.form === 'facts' ? typedText(typed['observerEmails']) : '',
    })),
    judging: page.isRequester && ticket.status === 'solved',
    reason: refused?.form === 'reason' ? typedText(typed['reason']) : '',
    refusedForm: refused?.form ?? null,
    message: refused && !isCollision && refused.error.fields.length === 0 ? refused.error.code : null,
    messageParams: refused?.error.params ?? {},
    errors: refused?.error.fields ?? [],
  });
}

const presentLink = ({ number, title }: Ticket): object => ({
  number,
  title,
  path: `/tickets/${String(number)}`,
});

async function replyBox(
  services: TicketServices,
  actor: Actor,
  { conversation: { ticket }, typed }: { conversation: Conversation; typed: Typed },
): Promise<object> {
  const isHelping = sideOf(actor, ticket) === 'helping';
  const mayUpdate = actor.can('ticket.update', ticket.entityId);
  const drafts = await services.attachments.drafts(actor, typedList(typed['attachments']));
  const then = typedText(typed['then']);
  return {
    reply: {
      isClosed: ticket.status === 'closed',
      mayWrite: ticket.status !== 'closed' || !isHelping,
      isHelping,
      body: typedText(typed['body']),
      isPrivate: typed['visibility'] === 'private',
      mayNote: mayReadPrivate(actor, ticket),
      maySolve: actor.can('ticket.solve', ticket.entityId) && ticket.status !== 'closed',
      statuses: isHelping && mayUpdate ? statusesAlong(ticket, then) : [],
      drafts: drafts.map(presentAttachment),
    },
  };
}

const statusesAlong = (ticket: Ticket, chosen: string): Choice[] =>
  (['open', 'pending', 'on-hold'] as const)
    .filter((status) => status !== ticket.status)
    .map((status) => ({ value: status, key: statusKey(status), selected: status === chosen }));

/** The facts as a form, for those who may change them. */
async function factsForm(
  services: TicketServices,
  actor: Actor,
  { ticket, typed, observerEmails }: { ticket: Ticket; typed: TypedFacts; observerEmails: string },
): Promise<object> {
  const mayUpdate = actor.can('ticket.update', ticket.entityId) && ticket.status !== 'closed';
  if (!mayUpdate) return { facts: null };
  const mayAssign = actor.can('ticket.assign', ticket.entityId);
  const [categories, helpers, groups, observers] = await Promise.all([
    services.categories.offeredIn(ticket.entityId),
    services.people.withRight('ticket.reply', ticket.entityId),
    services.people.groups(),
    services.people.named(ticket.observers),
  ]);
  const assignedUsers = typed.list('assignedUsers', ticket.assignees.users);
  return {
    facts: {
      mayAssign,
      mayTake: mayAssign && actor.userId !== null && !ticket.assignees.users.includes(actor.userId),
      title: typed.text('title', ticket.title),
      types: ticketTypes.map((type) => ({
        value: type,
        key: `tickets:type.${type}`,
        selected: type === typed.text('type', ticket.type),
      })),
      statuses: statuses
        .filter((status) => mayBecome(ticket.status, status))
        .map((status) => ({
          value: status,
          key: statusKey(status),
          selected: status === typed.text('status', ticket.status),
        })),
      urgencies: levelChoices(Number(typed.text('urgency', String(ticket.urgency)))),
      impacts: levelChoices(Number(typed.text('impact', String(ticket.impact)))),
      categories: categoryChoices(categories, typed.text('categoryId', ticket.categoryId ?? '')),
      users: peopleChoices(await withAssigned(services, helpers, ticket), assignedUsers),
      groups: groupChoices(groups, typed.list('assignedGroups', ticket.assignees.groups)),
      observers: peopleChoices([...observers.values()], typed.list('observers', ticket.observers)),
      observerEmails,
    },
  };
}

/** Whoever is assigned stays in the list, also after losing the right. */
async function withAssigned(services: TicketServices, helpers: Person[], ticket: Ticket): Promise<Person[]> {
  const missing = ticket.assignees.users.filter((id) => !helpers.some((helper) => helper.id === id));
  return missing.length === 0 ? helpers : [...helpers, ...(await services.people.named(missing)).values()];
}

export const levelChoices = (chosen: number): Choice[] =>
  levels
    .toReversed()
    .map((level) => ({ value: String(level), key: levelKey(level), selected: level === chosen }));

export const categoryChoices = (categories: readonly Category[], chosen: string): Choice[] =>
  categories.map(({ id, name }) => ({ value: id, label: name, selected: id === chosen }));

const peopleChoices = (people: readonly Person[], chosen: readonly string[]): Choice[] =>
  people
    .map(({ id, name }) => ({ value: id, label: name, selected: chosen.includes(id) }))
    .sort((one, other) => one.label.localeCompare(other.label));

const groupChoices = (groups: readonly Group[], chosen: readonly string[]): Choice[] =>
  groups.map(({ id, name }) => ({ value: id, label: name, selected: chosen.includes(id) }));
