import { authProviders, boxIn, definePlugin, sealedColumns, type Host } from 'latchkey/plugin-api';
import { OpenidLine, secretContext } from './openid-line.ts';
import { providerRoutes } from './provider-routes.ts';
import { ProviderService } from './provider-service.ts';

/** Signing in and joining with OpenID Connect: any provider that publishes its configuration. */
export default definePlugin((host: Host) => {
  const line = new OpenidLine(host);
  const providers = new ProviderService({ host, line });

  host.contribute(authProviders, () => providers.offered());
  host.contribute(sealedColumns, () => [
    {
      table: 'oidc_provider',
      id: 'id',
      keys: host.keys,
      boxOf: boxIn('secret'),
      contextOf: ({ id }) => secretContext(String(id)),
    },
  ]);
  host.routes(providerRoutes({ host, providers }));
});
