import { askAgain } from '../http/recent-login.ts';
import { file, view, type Reply } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import { InvalidInputError, type KnownError } from '../shared/errors.ts';
import type { Carried, OfflineService } from './offline-service.ts';

const PATH = '/admin/marketplace/offline';
const access = { right: 'plugin.manage' };

interface Deps {
  offline: OfflineService;
  clock: Clock;
}

/** Two files instead of a line to the hub: what we ask, and what it answers. */
export function offlineRoutes({ offline, clock }: Deps): Route[] {
  const page = (carried: readonly Carried[] | null, error?: KnownError): Reply =>
    view('marketplace/offline', {
      carried: carried?.map((one) => ({
        ...one,
        path: `/admin/plugin-packages/${encodeURIComponent(one.id)}/${encodeURIComponent(one.version)}`,
      })),
      isTaken: carried !== null,
      message: error && { code: error.code, params: error.params },
    });

  return [
    route({ method: 'get', path: PATH, access, handler: () => Promise.resolve(page(null)) }),
    route({
      method: 'post',
      path: `${PATH}/request`,
      access,
      onRefused: (_incoming, error) => {
        if (error.kind === 'forbidden') throw error;
        return Promise.resolve(page(null, error));
      },
      handler: async ({ actor }) =>
        file(Buffer.from(await offline.request(actor)), {
          name: 'latchkey-request.json',
          mediaType: 'application/json',
        }),
    }),
    route({
      method: 'post',
      path: PATH,
      access,
      uploads: true,
      onRefused: (_incoming, error) => {
        if (error.kind === 'forbidden') throw error;
        return Promise.resolve(page(null, error));
      },
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: clock.now(), next: PATH });
        if (asked) return asked;
        const upload = incoming.files.find(({ field, size }) => field === 'file' && size > 0);
        if (!upload) throw new InvalidInputError('marketplace.no-bundle');
        return page(await offline.take(incoming.actor, (await upload.read()).toString('utf8')));
      },
    }),
  ];
}
