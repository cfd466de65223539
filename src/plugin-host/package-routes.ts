import { z } from 'zod';
import { askAgain } from '../http/recent-login.ts';
import { redirect, view, type Flash, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { InvalidInputError, type KnownError } from '../shared/errors.ts';
import type { PluginFacts } from './plugin-facts.ts';
import type { PluginHost } from './plugin-host.ts';
import type { PluginInstaller } from './plugin-installer.ts';
import { presentPlan } from './plugin-presenter.ts';
import type { PublisherKeys } from './publisher-keys.ts';
import { dataChoices, type PluginUninstaller } from './plugin-uninstaller.ts';

const PACKAGES = '/admin/plugin-packages';
const PUBLISHERS = '/admin/plugin-publishers';
const access = { right: 'plugin.manage' };
const plugin = z.object({ id: z.string().max(64) });
const version = plugin.extend({ version: z.string().max(40) });
const decision = z.object({ unsigned: z.literal('yes').optional() });
const publisher = z.object({
  name: z.string().trim().min(1).max(80),
  key: z.string().trim().min(1).max(2_000),
});
const keyId = z.object({ keyId: z.string().max(64) });
const choice = z.object({ data: z.enum(dataChoices).default('keep') });

interface Deps {
  plugins: PluginHost;
  installer: PluginInstaller;
  uninstaller: PluginUninstaller;
  publishers: PublisherKeys;
  clock: Clock;
}

const pathOf = (id: string): string => `/admin/plugins/${encodeURIComponent(id)}`;
const planPath = (id: string, wanted: string): string =>
  `${PACKAGES}/${encodeURIComponent(id)}/${encodeURIComponent(wanted)}`;

/** Where packages come in, versions are changed, and plugins go for good. Each asks for a recent proof of who one is. */
export function packageRoutes({ plugins, installer, uninstaller, publishers, clock }: Deps): Route[] {
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

  const publishersPage = async ({ actor }: Pick<Incoming, 'actor'>, error?: KnownError): Promise<Reply> =>
    view('plugins/publishers', { keys: await publishers.list(actor), errors: problemsOf(error) });

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

  /** What one does to a plugin from its page. */
  const changing = (path: string, change: (actor: Actor, id: string) => Promise<Flash>): Route =>
    route({
      method: 'post',
      path,
      access,
      params: plugin,
      handler: async (incoming) => {
        const { id } = incoming.params;
        const again = asked(incoming, pathOf(id));
        return again ?? redirect(pathOf(id), { flash: await change(incoming.actor, id) });
      },
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
        const signed = incoming.files.find(({ field, size }) => field === 'signature' && size > 0);
        const signature = signed ? (await signed.read()).toString('utf8') : null;
        const plan = await installer.stage(incoming.actor, await upload.read(), { signature });
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
      body: decision,
      onRefused: planPage,
      handler: async (incoming) => {
        const { id, version: wanted } = incoming.params;
        const again = asked(incoming, planPath(id, wanted));
        if (again) return again;
        const acceptsUnsigned = incoming.body.unsigned === 'yes';
        const used = await installer.use(incoming.actor, id, wanted, { acceptsUnsigned });
        return redirect(pathOf(id), { flash: flashOf(used) });
      },
    }),
    route({
      method: 'get',
      path: PUBLISHERS,
      access,
      handler: (incoming) => publishersPage(incoming),
    }),
    route({
      method: 'post',
      path: PUBLISHERS,
      access,
      body: publisher,
      onRefused: publishersPage,
      handler: async (incoming) => {
        const again = asked(incoming, PUBLISHERS);
        if (again) return again;
        const { name, key } = incoming.body;
        await publishers.add(incoming.actor, { name, publicKey: key });
        return redirect(PUBLISHERS, {
          flash: { kind: 'success', code: 'plugins:flash.trusted', params: { name } },
        });
      },
    }),
    route({
      method: 'post',
      path: `${PUBLISHERS}/:keyId/remove`,
      access,
      params: keyId,
      handler: async (incoming) => {
        const again = asked(incoming, PUBLISHERS);
        if (again) return again;
        await publishers.remove(incoming.actor, incoming.params.keyId);
        return redirect(PUBLISHERS, {
          flash: { kind: 'success', code: 'plugins:flash.distrusted', params: {} },
        });
      },
    }),
    changing('/admin/plugins/:id/settle', async (actor, id) => {
      const { name } = await plugins.settle(actor, id);
      return { kind: 'success', code: 'plugins:flash.settled', params: { name } };
    }),
    changing('/admin/plugins/:id/rollback', async (actor, id) =>
      flashOf(await installer.rollback(actor, id)),
    ),
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

const flashOf = ({ name, version: now, state, watched }: PluginFacts): Flash =>
  state === 'enabled' && watched !== null
    ? { kind: 'success', code: 'plugins:flash.on-trial', params: { name, version: now, node: watched.on } }
    : state === 'enabled'
      ? { kind: 'success', code: 'plugins:flash.version', params: { name, version: now } }
      : { kind: 'danger', code: 'plugins:flash.not-running', params: { name } };

const problemsOf = (error: KnownError | undefined): { code: string; params: KnownError['params'] }[] =>
  error === undefined ? [] : [{ code: error.code, params: error.params }];
