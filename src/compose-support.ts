import { join } from 'node:path';
import type { Domains } from './compose-domains.ts';
import { version, type Ground } from './compose-ground.ts';
import type { Actor } from './shared/actor.ts';
import type { Ticket } from './tickets/index.ts';
import { ROOT_ENTITY_ID, userAnonymised } from './identity/index.ts';
import {
  addSupportCard,
  scheduleSupport,
  SupportCourier,
  SupportLine,
  supportNotice,
  SupportPost,
  supportRoutes,
  SupportService,
} from './network/index.ts';
import { CORE_OWNER, type RouteTable } from './http/route-table.ts';
import type { PluginHost } from './plugin-host/index.ts';

/** Asking the vendor: of the network, with files as tickets keep them and facts that the plugin host knows. */
export function composeSupport(
  { config, db, clock, log, audit, slots, hooks }: Ground,
  { network, hubLine, notifications, jobs, users, tickets }: Domains,
  { plugins, routes }: { plugins: PluginHost; routes: RouteTable },
): { support: SupportService; courier: SupportCourier } {
  const line = new SupportLine({ outbound: hubLine, version });
  const files = {
    keep: tickets.attachments.store.bind(tickets.attachments),
    read: tickets.attachments.stored.bind(tickets.attachments),
    keepDrafts: tickets.attachments.keep.bind(tickets.attachments),
    drafts: tickets.attachments.drafts.bind(tickets.attachments),
    handOver: tickets.attachments.handOver.bind(tickets.attachments),
  };
  const post = new SupportPost({
    db,
    clock,
    log,
    line,
    files,
    incoming: join(config.dataDir, 'incoming'),
    notices: notifications,
    caretakers: () => users.withRight('network.support', ROOT_ENTITY_ID),
  });
  const courier = new SupportCourier({
    db,
    clock,
    log,
    line,
    post,
    files,
    credentials: () => network.credentials(),
  });
  const support = new SupportService({
    db,
    clock,
    audit,
    network,
    courier,
    files,
    notices: notifications,
    house: async () => ({
      latchkey: version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      database: db.dialect.name,
      plugins: await plugins.list('en'),
    }),
  });
  hooks.onEvent(CORE_OWNER, userAnonymised, ({ subject }) => support.forget(subject));
  notifications.addKind(supportNotice);
  scheduleSupport(jobs, courier);
  const ticketOf = (actor: Actor, number: number): Promise<Ticket> => tickets.tickets.find(actor, number);
  routes.add(supportRoutes({ support, ticketOf, plugins: (locale) => plugins.list(locale) }), CORE_OWNER);
  addSupportCard(slots, support);
  return { support, courier };
}
