import { ForbiddenError, route, view, type Host, type Route } from 'latchkey/plugin-api';
import { lastDays } from './day.ts';
import { downloadsByDay, programs } from './usage-repository.ts';
import { DAY_MS, DAYS, points, supportByWeek, usageOf } from './usage.ts';
import { nameIn } from './release.ts';
import type { ReleaseService } from './release-service.ts';

const MOST = 10;

interface Deps {
  host: Host;
  releases: ReleaseService;
}

/** How the hub is used: helpdesks and downloads by day, what is fetched most, which versions ask. */
export const usageRoutes = ({ host, releases }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/admin/hub/usage',
    access: { right: 'network-hub.manage' },
    handler: async ({ actor, locale }) => {
      if (!actor.can('network-hub.manage')) throw new ForbiddenError('hub.vendor-only');
      const now = host.clock.now();
      const days = lastDays(now, DAYS);
      const since = days[0] ?? '';
      const downloads = await downloadsByDay(host.db, since);
      const listed = await releases.list({ from: 0, limit: 200 });
      const names = new Map(listed.map(({ record }) => [record.id, nameIn(record, locale)]));
      const popular = listed
        .toSorted((one, other) => other.downloads - one.downloads)
        .slice(0, MOST)
        .map(({ record, downloads: value }) => ({ label: nameIn(record, locale), value }));
      const { helpdesks, plugins } = await usageOf(host, { nameOf: (id) => names.get(id) ?? id });
      const asking = await programs(host.db, { seenSince: now - DAYS * DAY_MS, limit: MOST });
      return view('network-hub/usage', {
        helpdesks,
        inUse: plugins,
        support: await supportByWeek(host),
        downloads: points(days, downloads),
        popular,
        programs: asking.map(({ program, count }) => ({ label: program, value: count })),
        today: helpdesks.at(-1)?.value ?? 0,
        fetched: [...downloads.values()].reduce((sum, count) => sum + count, 0),
        plugins: listed.length,
      });
    },
  }),
];
