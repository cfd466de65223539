import type { Actor } from '../shared/actor.ts';
import type { CategoryService } from './category-service.ts';
import type { Conversation } from './follow-up-service.ts';
import type { Names } from './names.ts';
import type { People } from './people.ts';
import type { TicketSummary } from './ticket-list-repository.ts';
import { isRequester, seesAsHelper } from './ticket-policy.ts';
import { priorityBadge, statusBadge, type Badge } from './ticket-words.ts';
import { statusForRequester, type Ticket } from './ticket.ts';
import { presentTimeline, type TimelineItem } from './timeline-presenter.ts';

interface Deps {
  people: People;
  categories: CategoryService;
}

export interface TicketRow {
  number: number;
  path: string;
  title: string;
  status: Badge;
  priority: Badge;
  typeKey: string;
  requester: string;
  assignees: string[];
  category: string;
  entity: string;
  createdAt: number;
  updatedAt: number;
}

export interface TicketModel extends TicketRow {
  version: number;
  requesterId: string;
  isHelper: boolean;
  isRequester: boolean;
  observers: { id: string; name: string }[];
  items: TimelineItem[];
  solvedAt: number | null;
  firstReplyAt: number | null;
}

/** Puts names to ids, in one look-up for a whole page. */
export class TicketPresenter {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async rows(actor: Actor, tickets: readonly TicketSummary[]): Promise<TicketRow[]> {
    const names = await this.names(tickets);
    return tickets.map((ticket) => rowOf(actor, ticket, names));
  }

  async ticket(
    actor: Actor,
    { ticket, entries, attachments, notes = [] }: Conversation,
    { seen }: { seen?: number | undefined } = {},
  ): Promise<TicketModel> {
    const names = await this.names([ticket], entries);
    const isHelper = seesAsHelper(actor, ticket);
    return {
      ...rowOf(actor, ticket, names),
      version: ticket.version,
      requesterId: ticket.requesterId,
      isHelper,
      isRequester: isRequester(actor, ticket),
      observers: ticket.observers.map((id) => ({ id, name: names.person(id) })),
      items: presentTimeline({ ticket, entries, attachments, notes }, names, { actor, isHelper, seen }),
      solvedAt: ticket.solvedAt,
      firstReplyAt: ticket.firstReplyAt,
    };
  }

  async names(
    tickets: readonly Omit<Ticket, 'description'>[],
    entries: Conversation['entries'] = [],
  ): Promise<Names> {
    const { people, categories } = this.#deps;
    const told = entries.flatMap(({ changes }) => changes ?? []).flatMap(({ from, to }) => idsIn([from, to]));
    const ids = new Set([
      ...tickets.flatMap(peopleOf),
      ...entries.flatMap(({ authorId }) => authorId ?? []),
      ...told,
    ]);
    const categoryIds = [...tickets.flatMap(({ categoryId }) => categoryId ?? []), ...told];
    const [known, groups, entities, named] = await Promise.all([
      people.named([...ids]),
      people.groups(),
      people.entities(),
      categories.named(categoryIds),
    ]);
    const groupNames = new Map(groups.map(({ id, name }) => [id, name]));
    const entityNames = new Map(entities.map(({ id, path }) => [id, path]));
    return {
      person: (id) => known.get(id ?? '')?.name ?? '?',
      group: (id) => groupNames.get(id) ?? '?',
      entity: (id) => entityNames.get(id) ?? '',
      category: (id) => named.get(id ?? '')?.name ?? '',
    };
  }
}

const peopleOf = ({
  requesterId,
  createdById,
  observers,
  assignees,
}: Omit<Ticket, 'description'>): string[] => [
  requesterId,
  ...(createdById === null ? [] : [createdById]),
  ...observers,
  ...assignees.users,
];

/** Ids hide in the values of old changes: a person, a list of people, users and groups. */
function idsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^[0-9A-Z]{26}$/.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(idsIn);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(idsIn) : [];
}

function rowOf(actor: Actor, ticket: Omit<Ticket, 'description'>, names: Names): TicketRow {
  return {
    number: ticket.number,
    path: `/tickets/${String(ticket.number)}`,
    title: ticket.title,
    status: statusBadge(seesAsHelper(actor, ticket) ? ticket.status : statusForRequester(ticket.status)),
    priority: priorityBadge(ticket.priority),
    typeKey: `tickets:type.${ticket.type}`,
    requester: names.person(ticket.requesterId),
    assignees: [...ticket.assignees.users.map(names.person), ...ticket.assignees.groups.map(names.group)],
    category: names.category(ticket.categoryId),
    entity: names.entity(ticket.entityId),
    createdAt: ticket.createdAt,
    updatedAt: ticket.updatedAt,
  };
}
