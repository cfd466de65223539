import { z } from 'zod';
import { askAgain } from '../http/recent-login.ts';
import { redirect, view, type Flash, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import type { PluginFacts } from './plugin-facts.ts';
import type { PluginHost } from './plugin-host.ts';
import { tabsAt } from './hook-presenter.ts';
import { inOrder, presentDetails, presentPlugin } from './plugin-presenter.ts';

const access = { right: 'plugin.manage' };
const params = z.object({ id: z.string().max(64) });
type Params = z.output<typeof params>;

interface Deps {
  plugins: PluginHost;
  clock: Clock;
}

/** Where one sees what runs here and what it may touch, and puts plugins in and out. */
export function pluginRoutes({ plugins, clock }: Deps): Route[] {
  /** Which code runs is for somebody who has lately proved who they are. */
  const change =
    (act: (incoming: Incoming<Params>) => Promise<PluginFacts>) =>
    async (incoming: Incoming<Params>): Promise<Reply> => {
      const next = `/admin/plugins/${encodeURIComponent(incoming.params.id)}`;
      const asked = askAgain(incoming, { now: clock.now(), next });
      return asked ?? redirect(next, { flash: flashOf(await act(incoming)) });
    };

  return [
    route({
      method: 'get',
      path: '/admin/plugins',
      access,
      handler: async ({ locale }) => {
        const all = (await plugins.list(locale)).sort(inOrder);
        return view('plugins/list', {
          tabs: tabsAt('plugins'),
          plugins: all.map(presentPlugin),
        });
      },
    }),
    route({
      method: 'get',
      path: '/admin/plugins/:id',
      access,
      params,
      handler: async ({ locale, params: { id } }) =>
        view('plugins/details', {
          plugin: presentDetails(await plugins.find(id, locale)),
          objection: await plugins.objectionTo(id),
        }),
    }),
    route({
      method: 'post',
      path: '/admin/plugins/:id/enable',
      access,
      params,
      handler: change(({ actor, params: { id } }) => plugins.enable(actor, id)),
    }),
    route({
      method: 'post',
      path: '/admin/plugins/:id/disable',
      access,
      params,
      handler: change(({ actor, params: { id } }) => plugins.disable(actor, id)),
    }),
  ];
}

function flashOf({ name, desired, state }: PluginFacts): Flash {
  if (desired === state) return { kind: 'success', code: `plugins:flash.${desired}`, params: { name } };
  return { kind: 'danger', code: 'plugins:flash.not-running', params: { name } };
}
