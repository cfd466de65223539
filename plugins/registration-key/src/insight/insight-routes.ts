import { json, route, view, z, type Host, type Route } from 'latchkey/plugin-api';
import { countByStatus } from '../seats/redemption-repository.ts';
import { seatsLeft } from '../keys/invitation-key.ts';
import { findKeys } from '../keys/key-repository.ts';
import type { KeyService } from '../keys/key-service.ts';
import { DAY_MS } from '../keys/key-terms.ts';
import type { Funnel } from './funnel.ts';
import { funnelOf } from './funnel-presenter.ts';
import { countStandings, joinsSince, type Join } from './overview-repository.ts';
import { perWeek } from './periods.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  funnel: Funnel;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const WEEKS = 12;
const BEST = 10;
const standings = ['active', 'scheduled', 'paused', 'used-up', 'expired', 'revoked'] as const;
const tones: Record<(typeof standings)[number], string> = {
  active: 'success',
  scheduled: 'info',
  paused: 'warning',
  'used-up': 'accent',
  expired: 'quiet',
  revoked: 'danger',
};

const seatsSchema = z.object({
  joined: z.int(),
  inProgress: z.int(),
  free: z.int().nullable(),
  total: z.int().nullable(),
});

const funnelSchema = z.object({
  opened: z.int(),
  scanners: z.int(),
  started: z.int(),
  failed: z.int(),
  failures: z.array(z.object({ reason: z.string(), count: z.int() })),
  created: z.int(),
  joined: z.int(),
  firstTicket: z.int(),
});

/** How invitations fare: all of them on one page, and one of them step by step. */
export function insightRoutes({ host, keys, funnel }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: `${ROOT}/overview`,
      access: READ,
      handler: async ({ actor, locale }) => {
        const entities = actor.entitiesWith('registration-key.read');
        const now = host.clock.now();
        const { timeZone } = await host.site();
        const counts = await countStandings(host.db, { entities, now });
        const joins = await joinsSince(host.db, { entities, since: now - WEEKS * 7 * DAY_MS });
        const best = bestOf(joins);
        const named = await findKeys(
          host.db,
          best.map(({ keyId }) => keyId),
        );
        const labelOf = ({ keyId, round }: Join): string =>
          (round ?? named.get(keyId))?.label || host.t('list.no-label', {}, locale);
        return view(`${host.plugin.id}/insight/overview`, {
          standings: standings.map((name) => ({
            label: host.t(`standing.${name}`, {}, locale),
            value: counts[name] ?? 0,
            tone: tones[name],
          })),
          weeks: perWeek(
            joins.map(({ at }) => at),
            { now, weeks: WEEKS, timeZone, locale },
          ),
          best: best.map(({ value, ...join }) => ({
            path: join.round === null ? join.keyId : `rounds/${join.round.id}`,
            label: labelOf(join),
            value,
          })),
          active: counts.active ?? 0,
          thisWeek: joins.filter(({ at }) => at >= now - 7 * DAY_MS).length,
          inAll: joins.length,
        });
      },
    }),
    route({
      method: 'get',
      path: `/api/v1/invitation-keys/:id/seats`,
      access: 'signed-in',
      params: idParams,
      api: {
        summary: 'Seats of a key: joined, in progress, free',
        tag: 'Invitation keys',
        scope: 'invitation-keys:read',
        responses: { 200: { description: 'Seats as they are now', schema: seatsSchema } },
      },
      handler: async ({ actor, params: { id } }) => {
        const key = await keys.get(actor, id);
        const counts = await countByStatus(host.db, key.id);
        const inProgress = counts.pending_email + counts.pending_approval;
        return json({ joined: counts.active, inProgress, free: seatsLeft(key), total: key.maxUses });
      },
    }),
    route({
      method: 'get',
      path: `/api/v1/invitation-keys/:id/funnel`,
      access: 'signed-in',
      params: idParams,
      api: {
        summary: 'How far people came with a key; programs that check links are counted apart',
        tag: 'Invitation keys',
        scope: 'invitation-keys:read',
        responses: { 200: { description: 'Counts since the key was made', schema: funnelSchema } },
      },
      handler: async ({ actor, params: { id } }) => {
        const key = await keys.get(actor, id);
        await funnel.flush();
        return json(await funnelOf(host.db, key.id));
      },
    }),
  ];
}

/** Where most came from: a key, or a list whose people have keys of their own. */
function bestOf(joins: readonly Join[]): (Join & { value: number })[] {
  const sources = new Map<string, Join & { value: number }>();
  for (const join of joins) {
    const source = join.round?.id ?? join.keyId;
    sources.set(source, { ...join, value: (sources.get(source)?.value ?? 0) + 1 });
  }
  return [...sources.values()].sort((one, other) => other.value - one.value).slice(0, BEST);
}
