import { join } from 'node:path';
import { version, type Ground } from './compose-ground.ts';
import { guardWhatTicketsNeed } from './compose-guards.ts';
import {
  activePeople,
  identityServices,
  ROOT_ENTITY_ID,
  scheduleIdentityJobs,
  type Hashing,
} from './identity/index.ts';
import { RateLimits } from './http/rate-limit.ts';
import { EventDispatcher, jobsRights, JobScheduler, scheduleHousekeeping } from './jobs/index.ts';
import {
  Courier,
  mailRights,
  MailService,
  scheduleMailRetention,
  smtpTransport,
  type MailSite,
  type MailTransport,
} from './mail/index.ts';
import {
  EntitlementService,
  HubClient,
  hubUrl,
  isOwnMachine,
  isReachedHere,
  NetworkDoctor,
  networkNotice,
  networkRights,
  NetworkService,
  scheduleDoctor,
  scheduleNetworkRefresh,
  scheduleTrustRefresh,
  TrustService,
} from './network/index.ts';
import { AddressGuard } from './outbound/address-guard.ts';
import { Outbound } from './outbound/outbound.ts';
import { Probe } from './outbound/probe.ts';
import { ProxyRule } from './outbound/proxy.ts';
import { NotificationService, scheduleNotificationRetention } from './notifications/index.ts';
import {
  attachmentStore,
  chosenStorage,
  diskStorage,
  peopleOf,
  scheduleTicketJobs,
  ticketNoticeKinds,
  ticketRights,
  ticketServices,
} from './tickets/index.ts';
import {
  listeningAt,
  organisation,
  registrationContact,
  registrationPaused,
  siteLocale,
  siteOrigin,
  siteTimeZone,
  settingsRights,
} from './settings/index.ts';
import { pageBrand } from './views/index.ts';

/** What the house is called and where it is reached. */
export interface Site {
  organisation: string;
  origin: string;
  locale: string;
  timeZone: string;
  registration: { isPaused: boolean; contact: string };
}

const HUB_CONNECT_MS = 3_000;

export type Domains = Awaited<ReturnType<typeof composeDomains>>;

/** Floor 3, in the order of the domains. */
export async function composeDomains(
  ground: Ground,
  { hashing, mailTaker }: { hashing?: Hashing | undefined; mailTaker?: MailTransport | undefined } = {},
) {
  const { config, db, clock, log, keys, audit, settings, hooks, renderer } = ground;
  const onFault = (fault: { error: unknown }): void => {
    log.warn(fault, 'A background task failed');
  };
  const site = siteOf(ground);

  const jobs = new JobScheduler({ db, hooks, clock, log, onFault });
  const dispatcher = new EventDispatcher({ db, hooks, clock, log, onFault });
  scheduleHousekeeping(jobs, { db, hooks, clock });

  const limits = new RateLimits();
  const transport = mailTaker ?? (config.smtpUrl === undefined ? null : smtpTransport(config.smtpUrl));
  const mailSite: MailSite = async () => {
    const { organisation: name, origin, timeZone } = await site();
    const brand = await hooks.filter(pageBrand, {}, {});
    return { organisation: { name, ...brand }, origin, timeZone };
  };
  const mailKeys = await keys.ring('mail');
  const mail = new MailService({
    db,
    clock,
    keys: mailKeys,
    renderer,
    audit,
    site: mailSite,
    transport,
    from: config.mailFrom ?? '',
  });
  const courier =
    transport && new Courier({ db, hooks, clock, log, keys: mailKeys, mail, site: mailSite, transport });
  scheduleMailRetention(jobs, { db, clock });

  const identity = identityServices({
    ...ground,
    mail,
    limits,
    site,
    keys: await keys.ring('second-factor'),
    hashing,
  });
  const { rights, users, memberships } = identity;
  scheduleIdentityJobs(jobs, { db, clock, ...identity });
  for (const right of [...settingsRights, ...jobsRights, ...mailRights, ...networkRights, ...ticketRights])
    rights.add(right);

  const notifications = new NotificationService({ db, hooks, clock, mail, recipients: activePeople });
  scheduleNotificationRetention(jobs, { db, clock });

  const { network, trust, entitlements, networkDoctor, hubLine } = await composeNetwork(ground, {
    site,
    notifications,
    caretakers: () => users.withRight('network.manage', ROOT_ENTITY_ID),
  });
  notifications.addKind(networkNotice);
  scheduleDoctor(jobs, networkDoctor);
  scheduleNetworkRefresh(jobs, network);
  scheduleTrustRefresh(jobs, trust, entitlements);

  const tickets = ticketServices({
    db,
    hooks,
    clock,
    audit,
    people: peopleOf(users, memberships),
    notices: notifications,
    storage: chosenStorage({
      hooks,
      disk: diskStorage(attachmentsFolder(config)),
      chosen: () => settings.get(attachmentStore),
    }),
  });
  for (const kind of ticketNoticeKinds) notifications.addKind(kind);
  scheduleTicketJobs(jobs, tickets, settings);
  guardWhatTicketsNeed(ground, { tickets });

  return {
    site,
    jobs,
    dispatcher,
    mail,
    courier,
    ...identity,
    limits,
    notifications,
    network,
    trust,
    entitlements,
    networkDoctor,
    hubLine,
    tickets,
  };
}

interface NetworkSurroundings {
  site: () => Promise<Site>;
  notifications: NotificationService;
  caretakers: () => Promise<{ id: string }[]>;
}

/** A hub that the operator has named may lie inside; one that a page named must not. */
async function composeNetwork(
  { config, db, clock, log, audit, settings, keys }: Ground,
  { site, notifications, caretakers }: NetworkSurroundings,
) {
  const allowed = config.hubUrl === undefined ? config.outboundAllow : 'all';
  const proxies = new ProxyRule(config.proxy);
  const isOwn = async (url: URL): Promise<boolean> =>
    url.origin === URL.parse((await site()).origin)?.origin || network.isAllowedNeighbour(url);
  const hubLine = new Outbound({ allowed, connectMs: HUB_CONNECT_MS, proxy: proxies, isOwn });
  const network = new NetworkService({
    db,
    clock,
    log,
    audit,
    settings,
    keys: await keys.ring('network'),
    hub: new HubClient({ outbound: hubLine, version }),
    given: { hubUrl: config.hubUrl, key: config.networkKey },
    locale: async () => (await site()).locale,
    ownOrigin: async () => (await site()).origin,
    mayAskForNeighbour: async () =>
      !config.isOutboundSaid &&
      isReachedHere(config.baseUrl) &&
      isOwnMachine({ hostname: config.host }) &&
      isReachedHere((await site()).origin),
  });
  const trust = new TrustService({
    db,
    clock,
    log,
    audit,
    outbound: hubLine,
    hub: async () => config.hubUrl ?? (await settings.get(hubUrl)),
  });
  const entitlements = new EntitlementService({
    db,
    clock,
    log,
    keys: await keys.ring('network'),
    outbound: hubLine,
    trust,
    version,
    credentials: () => network.credentials(),
  });
  const networkDoctor = new NetworkDoctor({
    db,
    clock,
    probe: new Probe(new AddressGuard(allowed)),
    outbound: hubLine,
    proxies,
    version,
    hub: new HubClient({ outbound: hubLine, version }),
    network,
    trust,
    entitlements,
    address: async () => config.hubUrl ?? (await settings.get(hubUrl)),
    folder: config.pluginDir,
    isOwn,
    notifications,
    caretakers,
  });
  return { network, trust, entitlements, networkDoctor, hubLine };
}

/** Where what people attach lies. */
export const attachmentsFolder = ({ dataDir }: Ground['config']): string => join(dataDir, 'attachments');

/** Never from a request: the configuration, else what was said at set-up, else where the server listens (ruling 33). */
const siteOf = ({ config, settings }: Ground): (() => Promise<Site>) =>
  settings.remember(async () => ({
    organisation: await settings.get(organisation),
    origin:
      config.baseUrl ??
      firstOf(await settings.get(siteOrigin), await settings.get(listeningAt)) ??
      `http://localhost:${String(config.port)}`,
    locale: await settings.get(siteLocale),
    timeZone: await settings.get(siteTimeZone),
    registration: {
      isPaused: await settings.get(registrationPaused),
      contact: await settings.get(registrationContact),
    },
  }));

const firstOf = (...texts: string[]): string | undefined => texts.find((text) => text !== '');
