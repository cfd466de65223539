import type { Domains } from './compose-domains.ts';
import { version, type Ground } from './compose-ground.ts';
import { ROOT_ENTITY_ID } from './identity/index.ts';
import {
  CatalogueReader,
  HubCatalogue,
  MarketplaceService,
  scheduleMarketplace,
  trustVerifier,
  updateNotice,
} from './marketplace/index.ts';
import type { PluginHost, PluginInstaller } from './plugin-host/index.ts';

interface Surroundings {
  plugins: PluginHost;
  installer: PluginInstaller;
}

/** Floor 5: what the hub offers, and the way here. */
export function composeMarketplace(
  { db, clock, log }: Ground,
  { network, trust, hubLine, notifications, jobs, users }: Domains,
  { plugins, installer }: Surroundings,
): { marketplace: MarketplaceService; reader: CatalogueReader } {
  const catalogue = new HubCatalogue({ outbound: hubLine, version });
  const reader = new CatalogueReader({ db, clock, log, network, catalogue });
  const marketplace = new MarketplaceService({
    db,
    clock,
    log,
    network,
    plugins,
    installer,
    catalogue,
    reader,
    verifier: trustVerifier(trust),
  });
  notifications.addKind(updateNotice);
  const caretakers = (): Promise<{ id: string }[]> => users.withRight('plugin.manage', ROOT_ENTITY_ID);
  scheduleMarketplace({ db, clock, jobs, reader, marketplace, notifications, caretakers });
  return { marketplace, reader };
}
