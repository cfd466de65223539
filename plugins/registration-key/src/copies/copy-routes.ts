import {
  askAgain,
  json,
  redirect,
  route,
  view,
  z,
  type ApiFacts,
  type Flash,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { problemsOf } from '../join/join-presenter.ts';
import { backWith } from '../keys/back-with.ts';
import { mayManage } from '../keys/key-policy.ts';
import type { KeyService } from '../keys/key-service.ts';
import { DAY_MS } from '../keys/key-terms.ts';
import type { Places } from '../keys/places.ts';
import { ShownSecret } from '../keys/shown-secret.ts';
import { presentLink } from '../sharing/link-model.ts';
import { findCopy, joinsByCopy } from './copy-repository.ts';
import type { CopyService, ShownCopy } from './copy-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  copies: CopyService;
  places: Places;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys';
const API = '/api/v1/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const copyParams = idParams.extend({ copyId: z.string().max(40) });
const name = z.string().trim().min(1, 'invitation.name_the_copy').max(80);
const nameForm = z.object({ name });
const nameBody = z.strictObject({ name });
const usual = ['facebook', 'hr', 'poster', 'newsletter', 'intranet'] as const;

/** Pages of one key's copies. */
export function copyRoutes({ host, keys, copies, places }: Deps): Route[] {
  const shown = new ShownSecret(host);
  const pathOf = (id: string): string => `${ROOT}/${id}/copies`;
  const said = (code: string, undo?: string): Flash => ({
    kind: 'success',
    code: `registration-key:flash.${code}`,
    ...(undo === undefined ? {} : { undo: { action: undo, label: 'registration-key:undo' } }),
  });

  const showIt = ({ actor }: Incoming, { copy, text }: ShownCopy): Reply =>
    redirect(`${pathOf(copy.keyId)}/${copy.id}/link`, {
      cookies: [shown.keep(copy.id, text, actor.userId)],
    });

  async function listPage(
    { actor, locale, params: { id } }: Incoming<z.infer<typeof idParams>>,
    extra: { error?: KnownError; typed?: string } = {},
  ): Promise<Reply> {
    const key = await keys.get(actor, id);
    const list = await copies.list(actor, id);
    const joins = await joinsByCopy(host.db, id, host.clock.now() - 365 * DAY_MS);
    const byLink = joins.filter(({ copyId }) => copyId === '').length;
    const used = new Set(list.map((copy) => copy.name));
    const manages = mayManage(actor, key);
    const reveals = actor.can('registration-key.reveal', key.entityId);
    return view(`${host.plugin.id}/sharing/copies`, {
      key: { id: key.id, label: key.label, isRevoked: key.revokedAt !== null },
      copies: list.map((copy) => ({
        ...copy,
        mayReveal: reveals && copy.hasText && copy.closedAt === null,
        mayUndo: copy.joined > 0,
      })),
      chart: [
        { label: host.t('copies.own-link', {}, locale), value: byLink },
        ...list.map((copy) => ({ label: copy.name, value: copy.joined })),
      ],
      suggestions: usual
        .map((one) => host.t(`copies.usual-${one}`, {}, locale))
        .filter((one) => !used.has(one)),
      mayMake: manages && reveals && key.revokedAt === null,
      mayManage: manages,
      typed: extra.typed ?? '',
      errors: problemsOf(extra.error),
    });
  }

  const move = (what: 'close' | 'reopen', undo: 'close' | 'reopen'): Route =>
    route({
      method: 'post',
      path: `${ROOT}/:id/copies/:copyId/${what}`,
      access: READ,
      params: copyParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params: { id, copyId } }) => {
        await copies[what](actor, id, copyId);
        return redirect(pathOf(id), { flash: said(`copy-${what}`, `${pathOf(id)}/${copyId}/${undo}`) });
      },
    });

  return [
    route({
      method: 'get',
      path: `${ROOT}/:id/copies`,
      access: READ,
      params: idParams,
      handler: (incoming) => listPage(incoming),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/copies`,
      access: READ,
      params: idParams,
      body: nameForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found') throw error;
        const typed = z.object({ name: z.string().max(200) }).safeParse(incoming.body).data?.name ?? '';
        return listPage(incoming, { error, typed });
      },
      handler: async (incoming) =>
        showIt(incoming, await copies.make(incoming.actor, incoming.params.id, incoming.body.name)),
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/copies/:copyId/link`,
      access: READ,
      params: copyParams,
      handler: async ({ actor, cookies, locale, params: { id, copyId } }) => {
        const key = await keys.get(actor, id);
        const copy = await findCopy(host.db, copyId);
        const text = shown.read(cookies, copyId, actor.userId);
        if (copy?.keyId !== id || text === null) return redirect(pathOf(id));
        return view(
          `${host.plugin.id}/keys/link`,
          await presentLink(host, places, { key, copy, text }, { locale }),
        );
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/copies/:copyId/reveal`,
      access: READ,
      params: copyParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async (incoming) => {
        const { id, copyId } = incoming.params;
        const asked = askAgain(incoming, { now: host.clock.now(), next: pathOf(id) });
        return asked ?? showIt(incoming, await copies.reveal(incoming.actor, id, copyId));
      },
    }),
    move('close', 'reopen'),
    move('reopen', 'close'),
  ];
}

const iso = z.iso.datetime();
const copySchema = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  closedAt: iso.nullable(),
  createdAt: iso,
  createdBy: z.string(),
  joined: z.int(),
  pending: z.int(),
});
const shownSchema = copySchema.extend({ key: z.string(), url: z.string() });

const facts = (
  summary: string,
  scope: 'read' | 'write' | 'reveal',
  schema: z.ZodType,
  status = 200,
): ApiFacts => ({
  summary,
  tag: 'Invitation keys',
  scope: `invitation-keys:${scope}`,
  responses: { [status]: { description: summary, schema } },
});

/** `/api/v1/invitation-keys/:id/copies`. */
export function copyApi({ copies }: Pick<Deps, 'copies'>): Route[] {
  const move = (what: 'close' | 'reopen', summary: string): Route =>
    route({
      method: 'post',
      path: `${API}/:id/copies/:copyId/${what}`,
      access: 'signed-in',
      params: copyParams,
      api: facts(summary, 'write', copySchema),
      handler: async ({ actor, params: { id, copyId } }) => {
        await copies[what](actor, id, copyId);
        const copy = (await copies.list(actor, id)).find((one) => one.id === copyId);
        return json(copy && copyJson(copy));
      },
    });
  return [
    route({
      method: 'get',
      path: `${API}/:id/copies`,
      access: 'signed-in',
      params: idParams,
      api: facts('Copies of a key and who came by them', 'read', z.object({ items: z.array(copySchema) })),
      handler: async ({ actor, params: { id } }) =>
        json({ items: (await copies.list(actor, id)).map(copyJson) }),
    }),
    route({
      method: 'post',
      path: `${API}/:id/copies`,
      access: 'signed-in',
      params: idParams,
      body: nameBody,
      api: facts('Make a copy; its text is in this answer only', 'reveal', shownSchema, 201),
      handler: async ({ actor, params: { id }, body }) => {
        const { copy, text, url } = await copies.make(actor, id, body.name);
        return json(
          { ...copyJson({ ...copy, joined: 0, pending: 0 }), key: text, url },
          { status: 201, headers: { 'Cache-Control': 'no-store' } },
        );
      },
    }),
    route({
      method: 'post',
      path: `${API}/:id/copies/:copyId/reveal`,
      access: 'signed-in',
      params: copyParams,
      api: facts(
        'Show the link of a copy again; audited',
        'reveal',
        z.object({ id: z.string(), key: z.string(), url: z.string() }),
      ),
      handler: async ({ actor, params: { id, copyId } }) => {
        const { copy, text, url } = await copies.reveal(actor, id, copyId);
        return json({ id: copy.id, key: text, url }, { headers: { 'Cache-Control': 'no-store' } });
      },
    }),
    move('close', 'Close one copy; the key and its other copies go on'),
    move('reopen', 'Open a closed copy again'),
  ];
}

const copyJson = (copy: Awaited<ReturnType<CopyService['list']>>[number]): z.infer<typeof copySchema> => ({
  id: copy.id,
  name: copy.name,
  hint: copy.hint,
  closedAt: copy.closedAt === null ? null : new Date(copy.closedAt).toISOString(),
  createdAt: new Date(copy.createdAt).toISOString(),
  createdBy: copy.madeBy,
  joined: copy.joined,
  pending: copy.pending,
});
