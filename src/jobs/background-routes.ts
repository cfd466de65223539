import { z } from 'zod';
import { redirect, view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import { presentBackground } from './background-presenter.ts';
import type { BackgroundService } from './background-service.ts';

const PER_PAGE = 25;
const access = { right: 'background.manage' };
const list = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) });
const key = z.object({ position: z.coerce.number().int().positive(), consumer: z.string().min(1).max(64) });

/** Where administrators see whether events are delivered and jobs run. */
export function backgroundRoutes(background: BackgroundService): Route[] {
  return [
    route({
      method: 'get',
      path: '/admin/background',
      access,
      query: list,
      handler: async ({ actor, query: { page } }) =>
        view(
          'admin/background',
          presentBackground(await background.overview(actor, { page, perPage: PER_PAGE })),
        ),
    }),
    route({
      method: 'post',
      path: '/admin/background/retry',
      access,
      body: key,
      handler: async ({ actor, body }) => {
        await background.retry(actor, body);
        return redirect('/admin/background', { flash: { kind: 'success', code: 'jobs:flash.retried' } });
      },
    }),
    route({
      method: 'post',
      path: '/admin/background/retry-all',
      access,
      handler: async ({ actor }) => {
        const count = await background.retryAll(actor, null);
        const flash = { kind: 'success' as const, code: 'jobs:flash.retried-all', params: { count } };
        return redirect('/admin/background', { flash });
      },
    }),
    route({
      method: 'post',
      path: '/admin/background/release',
      access,
      handler: async ({ actor }) => {
        await background.release(actor);
        return redirect('/admin/background', { flash: { kind: 'success', code: 'jobs:flash.released' } });
      },
    }),
  ];
}
