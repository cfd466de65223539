import { z } from 'zod';
import { askAgain } from '../http/recent-login.ts';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import type { KnownError } from '../shared/errors.ts';
import type { StopService } from './stop-service.ts';

const PATH = '/admin/marketplace/stopped';
const access = { right: 'plugin.manage' };
const plugin = z.object({ id: z.string().max(64) });
const allowForm = z.object({ reason: z.string().trim().max(500).default('') });

interface Deps {
  stops: StopService;
  clock: Clock;
}

/** Why a plugin does not run any more though nobody here switched it off, and the ways back. */
export function stopRoutes({ stops, clock }: Deps): Route[] {
  const page = async (
    { actor, params, body }: Pick<Incoming<z.output<typeof plugin>>, 'actor' | 'params' | 'body'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const { stop, plugin: facts } = await stops.find(actor, params.id);
    const { name, chosen, previous, desired } = facts;
    return view('marketplace/stopped', {
      stop,
      name,
      path: `${PATH}/${params.id}`,
      pluginPath: `/admin/plugins/${params.id}`,
      shelfPath: `/admin/marketplace/plugins/${params.id}`,
      previous: previous === chosen ? null : previous,
      isEnabled: desired === 'enabled',
      mayAllow: stop.cause === 'withdrawn' && stop.allowedAt === null,
      typed: allowForm.safeParse(body).data?.reason ?? '',
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? { code: error.code, params: error.params } : undefined,
    });
  };

  return [
    route({
      method: 'get',
      path: `${PATH}/:id`,
      access,
      params: plugin,
      handler: (incoming) => page(incoming),
    }),
    route({
      method: 'post',
      path: `${PATH}/:id/allow`,
      access,
      params: plugin,
      body: allowForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
        return page(incoming, error);
      },
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        const asked = askAgain(incoming, { now: clock.now(), next: `${PATH}/${params.id}` });
        if (asked) return asked;
        const { name } = await stops.allow(actor, params.id, body.reason);
        const flash = { kind: 'warning', code: 'marketplace:flash.allowed', params: { name } } as const;
        return redirect(`/admin/plugins/${params.id}`, { flash });
      },
    }),
  ];
}
