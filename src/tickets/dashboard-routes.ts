import { view, type Reply } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import { presentDashboard, type Translate } from './dashboard-presenter.ts';
import { filterQuery } from './ticket-filter.ts';
import type { TicketServices } from './ticket-services.ts';

const SHOWN = 10;

/** `/`: the day at a glance for those who help, one's own requests for those who ask. */
export function dashboardRoutes(services: TicketServices, translate: Translate): Route[] {
  return [
    route({
      method: 'get',
      path: '/',
      access: 'signed-in',
      handler: ({ actor, locale }) =>
        actor.can('ticket.read')
          ? helpersHome(services, actor, { translate, locale })
          : requestersHome(services, actor),
    }),
  ];
}

async function requestersHome({ dashboard, lists, presenter }: TicketServices, actor: Actor): Promise<Reply> {
  const newestFirst = filterQuery.parse({ status: 'all', sort: '-updated' });
  const mine = await lists.first(actor, newestFirst, SHOWN);
  return view('dashboard/requester', {
    rows: await presenter.rows(actor, mine),
    mayCreate: actor.can('ticket.create'),
    cards: await dashboard.cards(actor),
    slots: { 'home.cards': {} },
  });
}

async function helpersHome(
  { dashboard, presenter }: TicketServices,
  actor: Actor,
  language: { translate: Translate; locale: string },
): Promise<Reply> {
  const today = await dashboard.today(actor);
  return view('dashboard/helper', {
    ...presentDashboard(today, language),
    mine: await presenter.rows(actor, today.mine),
    oldest: await presenter.rows(actor, today.oldest),
    cards: await dashboard.cards(actor),
    slots: { 'home.cards': {} },
  });
}
