import { definePlugin, sealedColumns, ticketCreated, type Host } from 'latchkey/plugin-api';
import { Gatekeeper } from './gatekeeper.ts';
import { networkApi } from './network-api.ts';
import { offerRoutes } from './offers/offer-routes.ts';
import { OfferService } from './offers/offer-service.ts';
import { portalRoutes } from './portal-routes.ts';
import { publishCommand } from './publish-command.ts';
import { publishRoutes } from './publish-routes.ts';
import { ReleaseService } from './release-service.ts';
import { RevealedKey } from './revealed-key.ts';
import { supportApi } from './support/support-api.ts';
import { addSupportCard } from './support/support-card.ts';
import { SupportDesk } from './support/support-desk.ts';
import { SubscriptionService } from './subscription-service.ts';
import { checkInRoutes } from './trust/check-in-routes.ts';
import { OfflineAnswers } from './trust/offline-answers.ts';
import { offlineCommand } from './trust/offline-command.ts';
import { offlineRoutes } from './trust/offline-routes.ts';
import { trustCommands } from './trust/trust-commands.ts';
import { trustRoutes } from './trust/trust-routes.ts';
import { TrustService } from './trust/trust-service.ts';
import { usageRoutes } from './usage-routes.ts';
import { vendorRoutes } from './vendor-routes.ts';
import { wireRoutes } from './wire-routes.ts';

/** Makes this house a hub: other helpdesks register here, with a key from its portal, and find their plugins. */
export default definePlugin((host: Host) => {
  const subscriptions = new SubscriptionService(host);
  const trust = new TrustService(host);
  for (const command of trustCommands(trust)) host.command(command);
  host.contribute(sealedColumns, () => trust.sealed());
  host.job('trust', () => trust.renew());
  const releases = new ReleaseService(host, trust);
  const desk = new SupportDesk(host);
  host.on(ticketCreated, ({ ticket }) => desk.goOn(ticket));
  const answers = new OfflineAnswers({ host, trust, subscriptions, releases });
  const revealed = new RevealedKey(host);
  const asked = { host, subscriptions, releases, gate: new Gatekeeper(host, subscriptions) };
  host.routes([
    ...wireRoutes(asked),
    ...networkApi(asked),
    ...supportApi({ host, gate: asked.gate, desk }),
    ...portalRoutes({ host, subscriptions, releases, revealed }),
    ...vendorRoutes({ host, subscriptions }),
    ...offerRoutes({ host, offers: new OfferService(host) }),
    ...trustRoutes({ host, trust, releases, revealed }),
    ...checkInRoutes({ host, trust, subscriptions }),
    ...offlineRoutes({ trust, releases, answers }),
    ...usageRoutes({ host, releases }),
    ...publishRoutes({ host, subscriptions, releases }),
  ]);
  addSupportCard(host, subscriptions);
  host.command(publishCommand(releases));
  host.command(offlineCommand(answers));
});
