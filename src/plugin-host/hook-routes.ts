import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import { redirect, view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import { TRACE_COOKIE } from '../http/watch-request.ts';
import type { Clock } from '../shared/clock.ts';
import { NotFoundError } from '../shared/errors.ts';
import {
  presentCosts,
  presentMemory,
  presentHook,
  presentHooks,
  presentTrace,
  presentTraces,
} from './hook-presenter.ts';
import { findTrace, listTraces } from './hook-trace-repository.ts';
import type { MemoryLog } from './memory-log.ts';

interface Deps {
  db: Database;
  clock: Clock;
  hooks: Pick<Hooks, 'catalogue' | 'costs'>;
  memory: Pick<MemoryLog, 'stretches' | 'growths'>;
}

const access = { right: 'plugin.manage' };
const ARMED_SECONDS = 300;

/** Where plugins join in, what each costs, and who changed what in one request. */
export function hookRoutes({ db, clock, hooks, memory }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: '/admin/hooks',
      access,
      handler: () => view('plugins/hooks', presentHooks(hooks.catalogue())),
    }),
    route({
      method: 'get',
      path: '/admin/hooks/costs',
      access,
      handler: ({ locale }) =>
        view('plugins/costs', {
          ...presentCosts(hooks.costs()),
          ...presentMemory(memory, { locale, now: clock.now() }),
        }),
    }),
    route({
      method: 'get',
      path: '/admin/hooks/traces',
      access,
      handler: async ({ actor, cookies }) =>
        view('plugins/traces', {
          ...presentTraces(await listTraces(db, actor.userId ?? '')),
          isArmed: cookies.has(TRACE_COOKIE),
        }),
    }),
    route({
      method: 'post',
      path: '/admin/hooks/traces',
      access,
      handler: () =>
        redirect('/admin/hooks/traces', {
          cookies: [{ name: TRACE_COOKIE, value: '1', maxAge: ARMED_SECONDS }],
        }),
    }),
    route({
      method: 'get',
      path: '/admin/hooks/traces/:id',
      access,
      params: z.object({ id: z.string().max(26) }),
      handler: async ({ actor, params: { id } }) => {
        const trace = await findTrace(db, { id, userId: actor.userId ?? '' });
        if (!trace) throw new NotFoundError('page.not-found');
        return view('plugins/trace', presentTrace(trace));
      },
    }),
    route({
      method: 'get',
      path: '/admin/hooks/:name',
      access,
      params: z.object({ name: z.string().max(120) }),
      handler: ({ params: { name } }) => {
        const entry = hooks.catalogue().find((one) => one.name === name);
        if (!entry) throw new NotFoundError('hook.not-found', { params: { hook: name } });
        return view('plugins/hook', presentHook(entry));
      },
    }),
  ];
}
