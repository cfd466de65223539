import { view, type Reply } from '../http/reply.ts';
import type { Actor } from '../shared/actor.ts';
import { queryOf, type TicketFilter } from './ticket-filter.ts';
import { categoryChoices, levelChoices } from './ticket-page.ts';
import type { TicketServices } from './ticket-services.ts';
import type { TicketView } from './ticket-view.ts';
import { statusKey, type Choice } from './ticket-words.ts';
import { statuses } from './ticket.ts';

const PER_PAGE = 25;

/** `/tickets`: the queue of those who help, or the requests of the one who asks. */
export async function ticketListPage(
  services: TicketServices,
  actor: Actor,
  { filter, page }: { filter: TicketFilter; page: number },
): Promise<Reply> {
  const found = await services.lists.list(actor, filter, { page, perPage: PER_PAGE });
  const rows = await services.presenter.rows(actor, found.items);
  const shared = {
    rows,
    searchExamples: await services.lists.searchExamples(actor),
    page: { page: found.page, perPage: found.perPage, total: found.total },
    filter,
    isFiltered: queryOf({ ...filter, sort: 'attention', descending: false }) !== '',
    isSearched: filter.q !== '',
    isFilterOpen: !isEverydayFilter(filter),
  };
  if (!actor.can('ticket.read')) {
    return view('tickets/mine', {
      ...shared,
      tabs: tabsOfRequester(filter),
      mayCreate: actor.can('ticket.create'),
    });
  }
  return view('tickets/list', {
    ...shared,
    ...(await toolsOfHelper(services, actor, filter)),
    slots: { 'ticket.list': { q: filter.q } },
  });
}

const tabsOfRequester = ({ status }: TicketFilter): object[] => [
  { path: '/tickets', key: 'tickets:tab.active', active: status === 'active' },
  { path: '/tickets?status=all', key: 'tickets:tab.all', active: status === 'all' },
];

async function toolsOfHelper(services: TicketServices, actor: Actor, filter: TicketFilter): Promise<object> {
  const { categories, people, views } = services;
  const [known, groups, entities, saved, requester] = await Promise.all([
    categories.listFor(actor),
    people.groups(),
    people.entities(),
    views.list(actor),
    filter.requester === '' ? null : people.find(filter.requester),
  ]);
  const readable = actor.entitiesWith('ticket.read');
  const seen = entities.filter(({ id }) => readable === 'all' || readable.includes(id));
  const helpers = await people.withRight(
    'ticket.reply',
    seen.map(({ id }) => id),
  );
  const query = queryOf(filter);
  return {
    query,
    here: `/tickets${query === '' ? '' : `?${query}`}`,
    mayBulk: actor.can('ticket.update') || actor.can('ticket.assign'),
    mayExport: actor.can('ticket.export'),
    mayCreate: actor.can('ticket.create'),
    requesterName: requester?.name ?? '',
    tabs: tabsOfHelper(filter),
    views: saved.map((one) => presentView(one, actor, query)),
    shareIn: seen.filter(({ id }) => actor.can('ticket.share-view', id)),
    choices: {
      statuses: statusChoices(filter.status),
      assignees: [...assigneeChoices(filter.assignee), ...named([...helpers, ...groups], filter.assignee)],
      categories: categoryChoices(known, filter.category),
      entities: named(
        seen.map(({ id, path }) => ({ id, name: path })),
        filter.entity,
      ),
      priorities: levelChoices(filter.priority ?? 0),
      sorts: sortChoices(filter),
    },
    bulk: {
      statuses: statuses
        .filter((status) => status !== 'new')
        .map((status) => ({ value: status, key: statusKey(status) })),
      assignees: [
        ...helpers.map(({ id, name }) => ({ value: `user:${id}`, label: name })),
        ...groups.map(({ id, name }) => ({ value: `group:${id}`, label: name })),
      ],
      urgencies: levelChoices(0),
      categories: categoryChoices(
        known.filter(({ archived }) => !archived),
        '',
      ),
    },
  };
}

const tabs = [
  { key: 'tickets:tab.active', query: '' },
  { key: 'tickets:tab.mine', query: 'assignee=me' },
  { key: 'tickets:tab.unassigned', query: 'assignee=nobody' },
  { key: 'tickets:tab.groups', query: 'assignee=my-groups' },
  { key: 'tickets:tab.all', query: 'status=all' },
];

/** What a tab or the search box at the top can ask for: the form of filters need not stand open for it. */
function isEverydayFilter(filter: TicketFilter): boolean {
  const query = queryOf({ ...filter, sort: 'attention', descending: false, q: '' });
  return tabs.some((tab) => tab.query === query);
}

const tabsOfHelper = (filter: TicketFilter): object[] =>
  tabs.map(({ key, query }) => ({
    key,
    path: query === '' ? '/tickets' : `/tickets?${query}`,
    active: query === queryOf({ ...filter, sort: 'attention', descending: false }),
  }));

const presentView = (
  { id, name, filters, entityId, ownerId }: TicketView,
  actor: Actor,
  query: string,
): object => ({
  id,
  name,
  path: filters === '' ? '/tickets' : `/tickets?${filters}`,
  isShared: entityId !== null,
  isMine: ownerId === actor.userId,
  active: filters === query && query !== '',
});

const statusChoices = (chosen: TicketFilter['status']): Choice[] =>
  (['active', 'all', ...statuses] as const).map((status) => ({
    value: status,
    key: statusKey(status as (typeof statuses)[number]),
    selected: status === chosen,
  }));

const assigneeChoices = (chosen: string): Choice[] =>
  ['me', 'nobody', 'my-groups'].map((value) => ({
    value,
    key: `tickets:assignee.${value}`,
    selected: value === chosen,
  }));

const sortChoices = ({ sort, descending }: TicketFilter): Choice[] =>
  ['attention', '-updated', 'updated', '-created', 'created', '-priority', 'title', 'status'].map(
    (value) => ({
      value,
      key: `tickets:sort.${value}`,
      selected: value === `${descending ? '-' : ''}${sort}`,
    }),
  );

const named = (things: readonly { id: string; name: string }[], chosen: string): Choice[] =>
  things.map(({ id, name }) => ({ value: id, label: name, selected: id === chosen }));
