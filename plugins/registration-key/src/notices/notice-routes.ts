import { json, redirect, route, z, type ApiFacts, type Route } from 'latchkey/plugin-api';
import type { KeyService } from '../keys/key-service.ts';
import type { NoticeService } from './notice-service.ts';

interface Deps {
  keys: KeyService;
  notices: NoticeService;
}

const READ = { right: 'registration-key.read' };
const idParams = z.object({ id: z.string().max(40) });
const joins = z.enum(['each', 'digest', 'none']);
const choiceForm = z.object({ joins, warnings: z.string().optional() });
const choiceSchema = z.object({ joins, warnings: z.boolean() });

/** What the owner of a key hears of it. */
export function noticeRoutes({ keys, notices }: Deps): Route[] {
  const facts = (summary: string, scope: 'read' | 'write'): ApiFacts => ({
    summary,
    tag: 'Invitation keys',
    scope: `invitation-keys:${scope}`,
    responses: { 200: { description: summary, schema: choiceSchema } },
  });
  return [
    route({
      method: 'post',
      path: '/invitation-keys/:id/notices',
      access: READ,
      params: idParams,
      body: choiceForm,
      handler: async ({ actor, params: { id }, body }) => {
        await notices.choose(actor, id, { joins: body.joins, warnings: body.warnings !== undefined });
        return redirect(`/invitation-keys/${id}`, {
          flash: { kind: 'success', code: 'registration-key:flash.notices-chosen' },
        });
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/invitation-keys/:id/notices',
      access: 'signed-in',
      params: idParams,
      api: facts('What the owner hears of a key', 'read'),
      handler: async ({ actor, params: { id } }) => json(await notices.choiceOf(await keys.get(actor, id))),
    }),
    route({
      method: 'put',
      path: '/api/v1/invitation-keys/:id/notices',
      access: 'signed-in',
      params: idParams,
      body: z.strictObject({ joins, warnings: z.boolean() }),
      api: facts('Choose what the owner hears of a key', 'write'),
      handler: async ({ actor, params: { id }, body }) => {
        await notices.choose(actor, id, body);
        return json(body);
      },
    }),
  ];
}
