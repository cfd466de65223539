import type { Domains } from './compose-domains.ts';
import { version, type Ground } from './compose-ground.ts';
import { ROOT_ENTITY_ID } from './identity/index.ts';
import {
  CatalogueReader,
  HubCatalogue,
  MarketplaceService,
  OfflineService,
  RatingService,
  scheduleMarketplace,
  stopNotices,
  StopService,
  trustVerifier,
  updateNotice,
  type Operation,
} from './marketplace/index.ts';
import type { PluginHost, PluginInstaller } from './plugin-host/index.ts';

interface Surroundings {
  plugins: PluginHost;
  installer: PluginInstaller;
  reached: (step: Operation['step']) => void;
}

/** Floor 5: what the hub offers, and the way here. */
export function composeMarketplace(
  { db, clock, log, audit }: Ground,
  { network, trust, entitlements, hubLine, notifications, jobs, users }: Domains,
  { plugins, installer, reached }: Surroundings,
): {
  marketplace: MarketplaceService;
  reader: CatalogueReader;
  stops: StopService;
  offline: OfflineService;
  ratings: RatingService;
} {
  const catalogue = new HubCatalogue({ outbound: hubLine, version });
  const reader = new CatalogueReader({ db, clock, log, network, catalogue });
  const marketplace = new MarketplaceService({
    db,
    clock,
    log,
    audit,
    network,
    trust,
    entitlements,
    plugins,
    installer,
    catalogue,
    reader,
    verifier: trustVerifier(trust, entitlements),
    reached,
  });
  for (const kind of [updateNotice, ...stopNotices]) notifications.addKind(kind);
  const caretakers = (): Promise<{ id: string }[]> => users.withRight('plugin.manage', ROOT_ENTITY_ID);
  const told = { db, clock, notifications, caretakers };
  const stops = new StopService({ ...told, audit, plugins, trust, entitlements });
  plugins.heed((id, wanted) => stops.objectionTo(id, wanted));
  scheduleMarketplace({ ...told, jobs, reader, marketplace, stops });
  const ratings = new RatingService({ db, clock, log, audit, network, marketplace, catalogue });
  // Whoever brings a key, or says that a hub is the right one, sees the shelf as soon as it can be had.
  const follow = (offer: string | null): void => {
    network.alongside(async () => {
      await trust.refresh();
      await entitlements.hear(offer);
      reader.refresh().catch(() => undefined);
    });
  };
  network.whenHeard(({ subscription }) => {
    follow(subscription?.offer ?? null);
  });
  trust.whenConfirmed(() => {
    follow(null);
  });
  jobs.every({ id: 'marketplace.ratings', everyMs: 60_000, run: () => ratings.tell() });
  const offline = new OfflineService({ trust, entitlements, installer });
  return { marketplace, reader, offline, stops, ratings };
}
