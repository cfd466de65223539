import {
  json,
  redirect,
  route,
  view,
  z,
  type ApiFacts,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { ShownSecret } from '../keys/shown-secret.ts';
import { problemsOf } from '../join/join-presenter.ts';
import { requestStates, type RequestState } from './access-request.ts';
import type { RequestService, ShownRequest } from './request-service.ts';

interface Deps {
  host: Host;
  requests: RequestService;
}

const ROOT = '/invitation-keys/requests';
const API = '/api/v1/invitation-keys/requests';
const MANAGE = { right: 'registration-key.manage' };
const PER_PAGE = 50;
const tag = 'Invitation keys';
const tabs = ['open', 'granted', 'declined', 'lapsed'] as const satisfies readonly RequestState[];
const idParams = z.object({ id: z.string().max(40) });
const listQuery = z.object({
  state: z.enum(requestStates).catch('open'),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});
const apiQuery = z.object({
  state: z.enum(requestStates).optional(),
  keyId: z.string().max(40).optional(),
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
});
const grantForm = z.object({ message: z.string().trim().max(1000).default('') });
const declineForm = z.object({ reason: z.string().trim().max(500).default('') });
const requestSchema = z.object({
  id: z.string(),
  keyId: z.string(),
  keyLabel: z.string(),
  state: z.enum(requestStates),
  reason: z.string(),
  name: z.string(),
  email: z.string(),
  message: z.string(),
  at: z.iso.datetime(),
  decidedAt: z.iso.datetime().nullable(),
  decidedBy: z.string(),
  note: z.string(),
  grantedKeyId: z.string().nullable(),
});
const listSchema = z.object({
  items: z.array(requestSchema),
  page: z.int(),
  perPage: z.int(),
  total: z.int(),
});
const grantedSchema = requestSchema.extend({ key: z.string(), url: z.string(), mailed: z.boolean() });

/** Who asks for a way in, and the answer. */
export function requestRoutes({ host, requests }: Deps): Route[] {
  const shownOnce = new ShownSecret(host);

  async function decisionPage(incoming: Incoming<{ id: string }>, error?: KnownError): Promise<Reply> {
    const { request, key } = await requests.get(incoming.actor, incoming.params.id);
    return view(`${host.plugin.id}/requests/decide`, {
      ...present({ request, key }),
      mailIsOn: host.mail.isOn,
      errors: problemsOf(error),
    });
  }

  return [
    route({
      method: 'get',
      path: ROOT,
      access: MANAGE,
      query: listQuery,
      handler: async ({ actor, locale, query: { state, page } }) => {
        const found = await requests.list(actor, { state }, { page, perPage: PER_PAGE });
        return view(`${host.plugin.id}/requests/list`, {
          tabs: tabs.map((name) => ({
            label: host.t(`requests.tab-${name}`, {}, locale),
            path: `${ROOT}?state=${name}`,
            active: name === state,
          })),
          state,
          page: { page: found.page, perPage: found.perPage, total: found.total },
          requests: found.items.map(present),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      handler: (incoming) => decisionPage(incoming),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/grant`,
      access: 'signed-in',
      params: idParams,
      body: grantForm,
      onRefused: decisionPage,
      handler: async ({ actor, params, body }) => {
        const { child, wasMailed } = await requests.grant(actor, params.id, body);
        if (wasMailed) return said('granted');
        const cookie = shownOnce.keep(child.key.id, child.text, actor.userId);
        return redirect(`/invitation-keys/${child.key.id}/link`, { cookies: [cookie] });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/decline`,
      access: 'signed-in',
      params: idParams,
      body: declineForm,
      onRefused: decisionPage,
      handler: async ({ actor, params, body }) => {
        await requests.decline(actor, params.id, body.reason);
        return said('request-declined');
      },
    }),
    ...requestApi(requests),
  ];
}

function requestApi(requests: RequestService): Route[] {
  const one = async (actor: Incoming['actor'], id: string): Promise<z.infer<typeof requestSchema>> =>
    requestJson(await requests.get(actor, id));

  return [
    route({
      method: 'get',
      path: API,
      access: MANAGE,
      query: apiQuery,
      api: facts('Who asks for a way in', 'read', listSchema),
      handler: async ({ actor, query: { state, keyId, ...page } }) => {
        const found = await requests.list(actor, { state, keyId }, page);
        return json({ ...found, items: found.items.map(requestJson) });
      },
    }),
    route({
      method: 'get',
      path: `${API}/:id`,
      access: 'signed-in',
      params: idParams,
      api: facts('One request', 'read', requestSchema),
      handler: async ({ actor, params }) => json(await one(actor, params.id)),
    }),
    route({
      method: 'post',
      path: `${API}/:id/grant`,
      access: 'signed-in',
      params: idParams,
      body: grantForm.strict(),
      api: facts('Let this one person in: mints and mails a key of one seat', 'write', grantedSchema),
      handler: async ({ actor, params, body }) => {
        const { child, wasMailed } = await requests.grant(actor, params.id, body);
        return json({ ...(await one(actor, params.id)), key: child.text, url: child.url, mailed: wasMailed });
      },
    }),
    route({
      method: 'post',
      path: `${API}/:id/decline`,
      access: 'signed-in',
      params: idParams,
      body: declineForm.strict(),
      api: facts('Say no, with a reason', 'write', requestSchema),
      handler: async ({ actor, params, body }) => {
        await requests.decline(actor, params.id, body.reason);
        return json(await one(actor, params.id));
      },
    }),
  ];
}

const said = (code: string): Reply =>
  redirect(ROOT, { flash: { kind: 'success', code: `registration-key:flash.${code}` } });

const facts = (summary: string, scope: 'read' | 'write', schema: z.ZodType): ApiFacts => ({
  summary,
  tag,
  scope: `invitation-keys:${scope}`,
  responses: { 200: { description: summary, schema } },
});

const present = ({ request, key }: ShownRequest): object => ({
  ...request,
  isOpen: request.state === 'open',
  isForgotten: request.email === '',
  key: { id: key.id, label: key.label, hint: key.hint, expiresAt: key.expiresAt },
});

const iso = (at: number): string => new Date(at).toISOString();

const requestJson = ({ request, key }: ShownRequest): z.infer<typeof requestSchema> => ({
  id: request.id,
  keyId: key.id,
  keyLabel: key.label,
  state: request.state,
  reason: request.reason,
  name: request.name,
  email: request.email,
  message: request.message,
  at: iso(request.at),
  decidedAt: request.decidedAt === null ? null : iso(request.decidedAt),
  decidedBy: request.decidedByName,
  note: request.note,
  grantedKeyId: request.childId,
});
