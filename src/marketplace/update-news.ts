import type { Undo } from '../hooks/index.ts';
import type { Database } from '../db/database.ts';
import type { JobScheduler } from '../jobs/index.ts';
import type { NotificationKind, NotificationService } from '../notifications/index.ts';
import { system } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import type { CatalogueReader } from './catalogue-reader.ts';
import { noteTold } from './catalogue-repository.ts';
import { nameOf, type MarketplaceService } from './marketplace-service.ts';
import type { StopService } from './stop-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  jobs: JobScheduler;
  reader: CatalogueReader;
  marketplace: MarketplaceService;
  stops: Pick<StopService, 'look'>;
  notifications: Pick<NotificationService, 'notify'>;
  /** Whoever looks after plugins. */
  caretakers: () => Promise<{ id: string }[]>;
}

export const updateNotice: NotificationKind = {
  id: 'marketplace.update',
  text: 'marketplace:notice.update',
  label: 'marketplace:notice-kind.update',
  icon: 'package',
  bell: true,
  mail: true,
};

/**
 * Looks every minute whether it is time to read the catalogue, and tells of each newer version once; and whether something that runs is
 * not to run any more.
 */
export function scheduleMarketplace({ jobs, reader, stops, ...deps }: Deps): Undo {
  const undo = jobs.every({ id: 'marketplace.stops', everyMs: 60_000, run: () => stops.look() });
  const undoRefresh = jobs.every({
    id: 'marketplace.refresh',
    everyMs: 60_000,
    run: async () => {
      await reader.refresh();
      await tellOfUpdates(deps);
    },
  });
  return () => {
    undo();
    undoRefresh();
  };
}

async function tellOfUpdates({
  db,
  clock,
  marketplace,
  notifications,
  caretakers,
}: Omit<Deps, 'jobs' | 'reader' | 'stops'>): Promise<void> {
  const updates = await marketplace.updates(system);
  if (updates.length === 0) return;
  const userIds = (await caretakers()).map(({ id }) => id);
  for (const { item, release } of updates) {
    const version = release?.version ?? '';
    await db.transaction(async (tx) => {
      if (!(await noteTold(tx, { pluginId: item.id, version, now: clock.now() }))) return;
      await notifications.notify(tx, {
        userIds,
        kind: updateNotice.id,
        subject: { type: 'plugin', id: item.id },
        link: `/admin/marketplace/plugins/${item.id}`,
        params: { name: nameOf(item, system), version },
      });
    });
  }
}
