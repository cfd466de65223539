import type { Host, Route } from 'latchkey/plugin-api';
import { BatchService } from '../keys/batch-service.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { KeyBulk } from '../keys/key-bulk.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { MemberQuota } from '../keys/member-quota.ts';
import { memberRoutes } from './member-routes.ts';
import { mintingApi } from './minting-api.ts';
import { mintingCommands } from './minting-commands.ts';
import { mintingRoutes } from './minting-routes.ts';
import type { Places } from '../keys/places.ts';
import type { PresetBook } from '../keys/preset-book.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  places: Places;
  presets: PresetBook;
  quota: MemberQuota;
}

/** All that goes beyond one key by one administrator. Its routes come before those with `:id`. */
export function standMinting({ host, keys, places, presets, quota }: Deps): {
  batches: BatchService;
  routes: Route[];
} {
  const batches = new BatchService({ host, keys });
  const bulk = new KeyBulk({ host, keys });
  for (const command of mintingCommands({ host, keys, presets, batches, bulk })) host.command(command);
  host.job('forget-sheets', () => batches.forgetSheets());
  host.slot('home.cards', `${host.plugin.id}/keys/invite-card`, async (_context, actor) =>
    (await quota.appliesTo(actor)) ? {} : null,
  );
  return {
    batches,
    routes: [
      ...mintingApi({ host, keys, presets, batches, bulk, quota }),
      ...memberRoutes({ host, keys, places, quota }),
      ...bulkRoutes({ host, bulk }),
      ...mintingRoutes({ host, keys, places, presets, batches, bulk }),
    ],
  };
}
