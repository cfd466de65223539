import {
  askAgain,
  redirect,
  route,
  view,
  z,
  type CookieChange,
  type Flash,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { Delivery, Endpoint } from './endpoint.ts';
import type { EndpointService } from './endpoint-service.ts';
import { eventNames } from './events.ts';

interface Deps {
  host: Host;
  endpoints: EndpointService;
}

const MANAGE = { right: 'webhooks.manage' };
const ROOT = '/admin/webhooks';
const idParams = z.object({ id: z.string().max(40) });
const deliveryParams = idParams.extend({ deliveryId: z.string().max(40) });
const listQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) });
const form = z.object({
  name: z.string().trim().min(1, 'webhook.name_it').max(80),
  url: z.string().trim().min(1, 'webhook.say_address').max(2000),
  events: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((names) => [names].flat()),
  isOn: z.string().optional(),
  version: z.coerce.number().int().optional(),
});
const typedForm = z.object({
  name: z.string().catch(''),
  url: z.string().catch(''),
  events: z
    .union([z.string(), z.array(z.string())])
    .catch([])
    .transform((names) => [names].flat()),
  isOn: z.string().optional().catch(undefined),
});
const PER_PAGE = 25;
const SHOWN_S = 600;

const tones = { waiting: 'info', sending: 'info', done: 'success', dead: 'danger' } as const;

/** Where administrators keep endpoints, and see what was sent and what came back. */
export function webhookRoutes({ host, endpoints }: Deps): Route[] {
  const page = (template: string, model: object): Reply => view(`${host.plugin.id}/${template}`, model);
  const pathOf = (id: string): string => `${ROOT}/${id}`;
  const said = (code: string): Flash => ({ kind: 'success', code: `webhooks:flash.${code}` });

  /** Once, in the browser of whoever made it. */
  function keepSecret(id: string, actorId: string | null, secret: string): CookieChange {
    const sealed = host.keys.seal(
      JSON.stringify({ secret, until: host.clock.now() + SHOWN_S * 1000 }),
      `webhook-shown|${id}|${actorId ?? ''}`,
    );
    const value = [
      sealed.keyId,
      sealed.nonce.toString('base64url'),
      sealed.ciphertext.toString('base64url'),
    ].join('.');
    return { name: `hook_${id}`, value, maxAge: SHOWN_S };
  }

  function shownSecret({ cookies, actor }: Incoming, id: string): string {
    const [keyId = '', nonce = '', ciphertext = ''] = cookies.get(`hook_${id}`)?.split('.') ?? [];
    try {
      const sealed = {
        keyId: Number(keyId),
        nonce: Buffer.from(nonce, 'base64url'),
        ciphertext: Buffer.from(ciphertext, 'base64url'),
      };
      const text = host.keys.open(sealed, `webhook-shown|${id}|${actor.userId ?? ''}`);
      const kept = JSON.parse(text) as { secret: string; until: number };
      return host.clock.now() < kept.until ? kept.secret : '';
    } catch {
      return '';
    }
  }

  const events = (chosen: readonly string[], locale: string): object[] => {
    const groups = new Map<string, object[]>();
    for (const name of eventNames) {
      const group = name.split('.')[0] ?? '';
      const one = {
        name,
        label: host.t(`event.${name}`, {}, locale),
        checked: chosen.includes(name),
      };
      groups.set(group, [...(groups.get(group) ?? []), one]);
    }
    return [...groups].map(([group, names]) => ({ label: host.t(`group.${group}`, {}, locale), names }));
  };

  const formPage = (
    { locale, body }: Pick<Incoming, 'locale' | 'body'>,
    facts: { endpoint?: Endpoint; error?: KnownError },
  ): Reply => {
    const { endpoint, error } = facts;
    const typed = typedForm.parse(body ?? {});
    const shown =
      error === undefined && endpoint !== undefined
        ? { ...endpoint }
        : { ...typed, isOn: error === undefined || typed.isOn !== undefined };
    return page('form', {
      form: shown,
      id: endpoint?.id ?? '',
      version: endpoint?.version ?? 0,
      groups: events(shown.events, locale),
      errors: problemsOf(error),
    });
  };

  const backTo = (id: string, error: KnownError): Reply => {
    if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
    return redirect(pathOf(id), {
      flash: { kind: 'warning', code: `errors.${error.code}`, params: { ...error.params } },
    });
  };

  const outcome = (id: string, { state, status, problem }: Delivery): Reply =>
    redirect(pathOf(id), {
      flash:
        state === 'done'
          ? { kind: 'success', code: 'webhooks:flash.arrived', params: { status: status ?? 0 } }
          : {
              kind: 'warning',
              code: status === null ? 'webhooks:flash.no-answer' : 'webhooks:flash.refused',
              params: { status: status ?? 0, problem: problem ?? '' },
            },
    });

  return [
    route({
      method: 'get',
      path: ROOT,
      access: MANAGE,
      handler: async ({ actor }) =>
        page('list', {
          endpoints: (await endpoints.list(actor)).map((endpoint) => ({
            ...endpoint,
            count: endpoint.events.length,
            look: lookOf(endpoint),
          })),
        }),
    }),
    route({
      method: 'get',
      path: `${ROOT}/new`,
      access: MANAGE,
      handler: async (incoming) => {
        await endpoints.list(incoming.actor);
        return formPage({ locale: incoming.locale, body: {} }, {});
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
      handler: async ({ actor, body: { version: _, ...draft } }) => {
        const { endpoint, secret } = await endpoints.add(actor, { ...draft, isOn: draft.isOn !== undefined });
        return redirect(pathOf(endpoint.id), {
          cookies: [keepSecret(endpoint.id, actor.userId, secret)],
          flash: said('added'),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: MANAGE,
      params: idParams,
      query: listQuery,
      handler: async (incoming) => {
        const { actor, params, query, locale } = incoming;
        const endpoint = await endpoints.get(actor, params.id);
        const found = await endpoints.deliveries(actor, params.id, { page: query.page, perPage: PER_PAGE });
        return page('detail', {
          endpoint: { ...endpoint, look: lookOf(endpoint) },
          secret: shownSecret(incoming, params.id),
          eventLabels: endpoint.events.map((name) => host.t(`event.${name}`, {}, locale)),
          deliveries: found.items.map((delivery) => ({
            ...delivery,
            tone: tones[delivery.state],
            event: host.t(`event.${delivery.eventName}`, {}, locale),
            nextAt: delivery.state === 'waiting' && delivery.attempts > 0 ? delivery.dueAt : null,
            maySendAgain:
              delivery.state === 'dead' || (delivery.state === 'waiting' && delivery.attempts > 0),
          })),
          page: { page: found.page, perPage: found.perPage, total: found.total },
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/edit`,
      access: MANAGE,
      params: idParams,
      handler: async ({ actor, locale, params }) =>
        formPage({ locale, body: {} }, { endpoint: await endpoints.get(actor, params.id) }),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/edit`,
      access: MANAGE,
      params: idParams,
      body: form,
      onRefused: async (incoming, error) => {
        const endpoint = await endpoints.get(incoming.actor, incoming.params.id);
        return formPage(incoming, { endpoint, error });
      },
      handler: async ({ actor, params: { id }, body: { version = 0, ...draft } }) => {
        await endpoints.edit(actor, id, version, { ...draft, isOn: draft.isOn !== undefined });
        return redirect(pathOf(id), { flash: said('edited') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/on`,
      access: MANAGE,
      params: idParams,
      onRefused: ({ params }, error) => backTo(params.id, error),
      handler: async ({ actor, params: { id } }) => {
        const { version, name, url, events } = await endpoints.get(actor, id);
        await endpoints.edit(actor, id, version, { name, url, events, isOn: true });
        return redirect(pathOf(id), { flash: said('on') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/test`,
      access: MANAGE,
      params: idParams,
      onRefused: ({ params }, error) => backTo(params.id, error),
      handler: async ({ actor, params: { id } }) => outcome(id, await endpoints.test(actor, id)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/secret`,
      access: MANAGE,
      params: idParams,
      onRefused: ({ params }, error) => backTo(params.id, error),
      handler: async (incoming) => {
        const { id } = incoming.params;
        const asked = askAgain(incoming, { now: host.clock.now(), next: pathOf(id) });
        if (asked) return asked;
        const secret = await endpoints.rotate(incoming.actor, id);
        return redirect(pathOf(id), {
          cookies: [keepSecret(id, incoming.actor.userId, secret)],
          flash: said('rotated'),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/remove`,
      access: MANAGE,
      params: idParams,
      onRefused: ({ params }, error) => backTo(params.id, error),
      handler: async ({ actor, params: { id } }) => {
        await endpoints.remove(actor, id);
        return redirect(ROOT, { flash: said('removed') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/deliveries/:deliveryId/redeliver`,
      access: MANAGE,
      params: deliveryParams,
      onRefused: ({ params }, error) => backTo(params.id, error),
      handler: async ({ actor, params: { id, deliveryId } }) =>
        outcome(id, await endpoints.redeliver(actor, id, deliveryId)),
    }),
  ];
}

function lookOf({ isOn, offReason, failingSince }: Endpoint): { name: string; tone: string; icon: string } {
  if (!isOn) return { name: offReason ?? 'off', tone: offReason === null ? 'quiet' : 'danger', icon: 'ban' };
  if (failingSince !== null) return { name: 'troubled', tone: 'warning', icon: 'alert-triangle' };
  return { name: 'on', tone: 'success', icon: 'circle-check' };
}

const problemsOf = (error: KnownError | undefined): object[] => {
  if (!error) return [];
  return error.fields.length > 0
    ? [...error.fields]
    : [{ field: '', code: error.code, params: { ...error.params } }];
};
