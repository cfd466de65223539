import {
  askAgain,
  redirect,
  route,
  view,
  z,
  type Flash,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { icons, type Provider, type ProviderDraft } from './provider.ts';
import type { ProviderService } from './provider-service.ts';

interface Deps {
  host: Host;
  providers: ProviderService;
}

const MANAGE = { right: 'openid-connect.manage' };
const ROOT = '/admin/openid-connect';
const idParams = z.object({ id: z.string().max(40) });
const form = z.object({
  slug: z.string().trim().max(40).default(''),
  title: z.string().trim().min(1, 'openid-connect.title').max(40),
  icon: z.enum(icons).catch('login-2'),
  issuer: z.string().trim().min(1, 'openid-connect.issuer').max(500),
  clientId: z.string().trim().min(1, 'openid-connect.client-id').max(255),
  secret: z.string().trim().max(1000).default(''),
  scopes: z.string().trim().max(255).default(''),
  trustedDomains: z.string().max(2000).default(''),
  assumesVerified: z.string().optional(),
  isTwoFactor: z.string().optional(),
  isOn: z.string().optional(),
  version: z.coerce.number().int().catch(0),
});
type Form = z.output<typeof form>;
const typedForm = z.record(z.string(), z.string().catch('')).catch({});

const emptyForm = { icon: 'login-2', scopes: 'openid email profile', isOn: 'true' };

/** Where those who answer for the house say by whom people may be named. Every change asks first who it is that asks. */
export function providerRoutes({ host, providers }: Deps): Route[] {
  const page = (template: string, model: object): Reply => view(`${host.plugin.id}/${template}`, model);
  const said = (what: string): { flash: Flash } => ({
    flash: { kind: 'success', code: `${host.plugin.id}:flash.${what}` },
  });
  const askFirst = (incoming: Incoming, next: string): Reply | null =>
    askAgain(incoming, { now: host.clock.now(), next });

  const redirectUri = async (slug: string): Promise<string> =>
    `${(await host.site()).origin}/login/with/${host.plugin.id}.${slug === '' ? '…' : slug}/back`;

  const formPage = async (
    { locale, body }: Pick<Incoming, 'locale' | 'body'>,
    { provider, error }: { provider?: Provider & { hasSecret: boolean }; error?: KnownError } = {},
  ): Promise<Reply> =>
    page('form', {
      form: error ? typedForm.parse(body) : provider ? shownAs(provider) : emptyForm,
      provider,
      redirectUri: await redirectUri(provider?.slug ?? ''),
      icons: icons.map((value) => ({ value, label: host.t(`icon.${value}`, {}, locale) })),
      errors: problemsOf(error),
    });

  const changeOf = (incoming: Incoming, id: string): Promise<Reply> =>
    providers.get(incoming.actor, id).then((provider) => formPage(incoming, { provider }));

  return [
    route({
      method: 'get',
      path: ROOT,
      access: MANAGE,
      handler: async ({ actor }) => page('list', { providers: await providers.list(actor) }),
    }),
    route({
      method: 'get',
      path: `${ROOT}/new`,
      access: MANAGE,
      handler: async (incoming) => {
        await providers.list(incoming.actor);
        return askFirst(incoming, `${ROOT}/new`) ?? formPage(incoming);
      },
    }),
    route({
      method: 'post',
      path: ROOT,
      access: MANAGE,
      body: form,
      onRefused: (incoming, error) => {
        if (error.kind === 'forbidden') throw error;
        return formPage(incoming, { error });
      },
      handler: async (incoming) => {
        const again = askFirst(incoming, `${ROOT}/new`);
        if (again) return again;
        const { id } = await providers.add(incoming.actor, draftOf(incoming.body), incoming.body.secret);
        return redirect(`${ROOT}/${id}`, said('added'));
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: MANAGE,
      params: idParams,
      handler: (incoming) =>
        askFirst(incoming, `${ROOT}/${incoming.params.id}`) ?? changeOf(incoming, incoming.params.id),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id`,
      access: MANAGE,
      params: idParams,
      body: form,
      onRefused: async (incoming, error) => {
        const provider = await providers.get(incoming.actor, incoming.params.id);
        return formPage(incoming, { provider, error });
      },
      handler: async (incoming) => {
        const { actor, body, params } = incoming;
        const again = askFirst(incoming, `${ROOT}/${params.id}`);
        if (again) return again;
        await providers.edit(actor, params.id, body.version, draftOf(body), body.secret);
        return redirect(`${ROOT}/${params.id}`, said('edited'));
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/look`,
      access: MANAGE,
      params: idParams,
      handler: async ({ actor, params }) => {
        const { issuer, problem } = await providers.look(actor, params.id);
        const flash: Flash =
          problem === null
            ? { kind: 'success', code: `${host.plugin.id}:flash.answers`, params: { issuer } }
            : { kind: 'warning', code: `${host.plugin.id}:flash.no-answer`, params: { problem } };
        return redirect(`${ROOT}/${params.id}`, { flash });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/remove`,
      access: MANAGE,
      params: idParams,
      handler: async (incoming) => {
        const again = askFirst(incoming, `${ROOT}/${incoming.params.id}`);
        if (again) return again;
        await providers.remove(incoming.actor, incoming.params.id);
        return redirect(ROOT, said('removed'));
      },
    }),
  ];
}

const draftOf = ({ secret: _, version: __, ...typed }: Form): ProviderDraft => ({
  ...typed,
  slug: typed.slug === '' ? slugFrom(typed.title) : typed.slug,
  trustedDomains: typed.trustedDomains.split(/[\s,;]+/).filter((domain) => domain !== ''),
  assumesVerified: typed.assumesVerified !== undefined,
  isTwoFactor: typed.isTwoFactor !== undefined,
  isOn: typed.isOn !== undefined,
});

/** `Acme GmbH` is `acme-gmbh`. */
const slugFrom = (title: string): string =>
  title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

const shownAs = ({ trustedDomains, assumesVerified, isTwoFactor, isOn, ...rest }: Provider): object => ({
  ...rest,
  trustedDomains: trustedDomains.join(', '),
  ...(assumesVerified ? { assumesVerified: 'true' } : {}),
  ...(isTwoFactor ? { isTwoFactor: 'true' } : {}),
  ...(isOn ? { isOn: 'true' } : {}),
});

const problemsOf = (error: KnownError | undefined): object[] => {
  if (!error) return [];
  if (error.fields.length > 0) return [...error.fields];
  return [{ field: '', code: error.code, params: { ...error.params } }];
};
