import { authProviders, definePlugin, type Host } from 'latchkey/plugin-api';
import { OpenidLine } from './openid-line.ts';
import { providerRoutes } from './provider-routes.ts';
import { ProviderService } from './provider-service.ts';

/** Signing in and joining with OpenID Connect: any provider that publishes its configuration. */
export default definePlugin((host: Host) => {
  const line = new OpenidLine(host);
  const providers = new ProviderService({ host, line });

  host.contribute(authProviders, () => providers.offered());
  host.routes(providerRoutes({ host, providers }));
});
