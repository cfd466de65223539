import { boxIn, definePlugin, sealedColumns, type Host } from 'latchkey/plugin-api';
import { tidy } from './delivery-repository.ts';
import { EndpointService } from './endpoint-service.ts';
import { offered } from './events.ts';
import { contentContext, secretContext } from './message.ts';
import { Sender } from './sender.ts';
import { webhookApi } from './webhook-api.ts';
import { webhookCommands } from './webhook-commands.ts';
import { webhookRoutes } from './webhook-routes.ts';

const DAY_MS = 86_400_000;

/** Tells other systems what happens here: signed, tried again until it arrives, and every try on record. */
export default definePlugin((host: Host) => {
  const sender = new Sender(host);
  const endpoints = new EndpointService({ host, sender });

  host.routes([...webhookApi({ endpoints }), ...webhookRoutes({ host, endpoints })]);
  for (const command of webhookCommands({ endpoints })) host.command(command);
  for (const token of offered)
    host.on(token, (payload, delivery) => sender.take(token.name, payload, delivery));
  const { keys } = host;
  const of = ({ id }: Readonly<Record<string, unknown>>): string => String(id);
  host.contribute(sealedColumns, () => [
    {
      table: 'webhook_endpoint',
      id: 'id',
      keys,
      boxOf: boxIn('secret'),
      contextOf: (row) => secretContext(of(row)),
    },
    {
      table: 'webhook_delivery',
      id: 'id',
      keys,
      boxOf: boxIn('content'),
      contextOf: (row) => contentContext(of(row)),
    },
  ]);
  host.job('deliver', () => sender.run());
  host.job('tidy', async () => {
    const now = host.clock.now();
    const ages = { contentsBefore: now - 7 * DAY_MS, logBefore: now - 30 * DAY_MS };
    while ((await host.transaction((tx) => tidy(tx, ages))) > 0);
  });
});
