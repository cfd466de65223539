import { z } from 'zod';
import { askAgain } from '../http/recent-login.ts';
import { redirect, view, type Flash, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import { InvalidInputError, type KnownError } from '../shared/errors.ts';
import type { PluginFacts, PluginHost } from './plugin-host.ts';
import type { PluginInstaller } from './plugin-installer.ts';
import { presentPlan } from './plugin-presenter.ts';
import { dataChoices, type PluginUninstaller } from './plugin-uninstaller.ts';

const PACKAGES = '/admin/plugin-packages';
const access = { right: 'plugin.manage' };
const plugin = z.object({ id: z.string().max(64) });
const version = plugin.extend({ version: z.string().max(40) });
const choice = z.object({ data: z.enum(dataChoices).default('keep') });

interface Deps {
  plugins: PluginHost;
  installer: PluginInstaller;
  uninstaller: PluginUninstaller;
  clock: Clock;
}

const pathOf = (id: string): string => `/admin/plugins/${encodeURIComponent(id)}`;
const planPath = (id: string, wanted: string): string =>
  `${PACKAGES}/${encodeURIComponent(id)}/${encodeURIComponent(wanted)}`;

/** Where packages come in, versions are changed, and plugins go for good. Each asks for a recent proof of who one is. */
export function packageRoutes({ plugins, installer, uninstaller, clock }: Deps): Route[] {
  const asked = (incoming: Pick<Incoming, 'session'>, next: string): Reply | null =>
    askAgain(incoming, { now: clock.now(), next });

  const planPage = async (
    { actor, params: { id, version: wanted } }: Pick<Incoming<z.output<typeof version>>, 'actor' | 'params'>,
    error?: KnownError,
  ): Promise<Reply> =>
    view('plugins/plan', {
      plan: presentPlan(await installer.look(actor, id, wanted)),
      action: planPath(id, wanted),
      errors: problemsOf(error),
    });

  const uninstallPage = async (
    { actor, locale, params: { id } }: Pick<Incoming<z.output<typeof plugin>>, 'actor' | 'locale' | 'params'>,
    error?: KnownError,
  ): Promise<Reply> =>
    view('plugins/uninstall', {
      receipt: await uninstaller.receipt(actor, id),
      name: (await plugins.find(id, locale)).name,
      path: pathOf(id),
      errors: problemsOf(error),
    });

  return [
    route({
      method: 'get',
      path: `${PACKAGES}/new`,
      access,
      handler: (incoming) => asked(incoming, `${PACKAGES}/new`) ?? view('plugins/install', { errors: [] }),
    }),
    route({
      method: 'post',
      path: PACKAGES,
      access,
      uploads: true,
      onRefused: (_incoming, error) => view('plugins/install', { errors: problemsOf(error) }),
      handler: async (incoming) => {
        const again = asked(incoming, `${PACKAGES}/new`);
        if (again) return again;
        const upload = incoming.files.find(({ field, size }) => field === 'package' && size > 0);
        if (!upload) throw new InvalidInputError('plugin.package-missing');
        const plan = await installer.stage(incoming.actor, await upload.read());
        return redirect(planPath(plan.id, plan.version));
      },
    }),
    route({
      method: 'get',
      path: `${PACKAGES}/:id/:version`,
      access,
      params: version,
      handler: (incoming) => planPage(incoming),
    }),
    route({
      method: 'post',
      path: `${PACKAGES}/:id/:version`,
      access,
      params: version,
      onRefused: planPage,
      handler: async (incoming) => {
        const { id, version: wanted } = incoming.params;
        const again = asked(incoming, planPath(id, wanted));
        if (again) return again;
        return redirect(pathOf(id), { flash: flashOf(await installer.use(incoming.actor, id, wanted)) });
      },
    }),
    route({
      method: 'post',
      path: '/admin/plugins/:id/rollback',
      access,
      params: plugin,
      handler: async (incoming) => {
        const { id } = incoming.params;
        const again = asked(incoming, pathOf(id));
        if (again) return again;
        return redirect(pathOf(id), { flash: flashOf(await installer.rollback(incoming.actor, id)) });
      },
    }),
    route({
      method: 'get',
      path: '/admin/plugins/:id/uninstall',
      access,
      params: plugin,
      handler: (incoming) => uninstallPage(incoming),
    }),
    route({
      method: 'post',
      path: '/admin/plugins/:id/uninstall',
      access,
      params: plugin,
      body: choice,
      onRefused: uninstallPage,
      handler: async (incoming) => {
        const { actor, params, body, locale } = incoming;
        const again = asked(incoming, `${pathOf(params.id)}/uninstall`);
        if (again) return again;
        const { name } = await plugins.find(params.id, locale);
        const { exportedTo } = await uninstaller.uninstall(actor, params.id, body.data);
        const code = exportedTo === null ? 'plugins:flash.uninstalled' : 'plugins:flash.exported';
        return redirect('/admin/plugins', {
          flash: { kind: 'success', code, params: { name, file: exportedTo ?? '' } },
        });
      },
    }),
  ];
}

const flashOf = ({ name, version: now, state }: PluginFacts): Flash =>
  state === 'enabled'
    ? { kind: 'success', code: 'plugins:flash.version', params: { name, version: now } }
    : { kind: 'danger', code: 'plugins:flash.not-running', params: { name } };

const problemsOf = (error: KnownError | undefined): { code: string; params: KnownError['params'] }[] =>
  error === undefined ? [] : [{ code: error.code, params: error.params }];
