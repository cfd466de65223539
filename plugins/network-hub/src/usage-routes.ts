import { ForbiddenError, route, view, type Host, type Route } from 'latchkey/plugin-api';
import { lastDays } from './day.ts';
import { downloadsByDay, helpdesksByDay, programs } from './usage-repository.ts';
import type { ReleaseService } from './release-service.ts';

const DAY_MS = 86_400_000;
const DAYS = 30;
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
      const helpdesks = await helpdesksByDay(host.db, { since });
      const downloads = await downloadsByDay(host.db, since);
      const listed = await releases.list({ from: 0, limit: 200 });
      const popular = listed
        .toSorted((one, other) => other.downloads - one.downloads)
        .slice(0, MOST)
        .map(({ record, downloads: value }) => ({
          label: (record.words[locale] ?? record.words['en'])?.name ?? record.id,
          value,
        }));
      const asking = await programs(host.db, { seenSince: now - DAYS * DAY_MS, limit: MOST });
      return view('network-hub/usage', {
        helpdesks: points(days, helpdesks),
        downloads: points(days, downloads),
        popular,
        programs: asking.map(({ program, count }) => ({ label: program, value: count })),
        today: helpdesks.get(days.at(-1) ?? '') ?? 0,
        fetched: [...downloads.values()].reduce((sum, count) => sum + count, 0),
        plugins: listed.length,
      });
    },
  }),
];

const points = (
  days: readonly string[],
  counts: ReadonlyMap<string, number>,
): { label: string; value: number }[] =>
  days.map((day) => ({ label: day.slice(5), value: counts.get(day) ?? 0 }));
