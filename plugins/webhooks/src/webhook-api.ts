import { empty, json, route, z, type ApiFacts, type Route } from 'latchkey/plugin-api';
import type { Delivery, Endpoint } from './endpoint.ts';
import type { EndpointService } from './endpoint-service.ts';

const ROOT = '/api/v1/webhooks';
const idParams = z.object({ id: z.string().max(40) });
const deliveryParams = idParams.extend({ deliveryId: z.string().max(40) });
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
});
const draft = {
  name: z.string().trim().min(1).max(80),
  url: z.string().trim().min(1).max(2000),
  events: z.array(z.string().max(80)).max(50),
  isOn: z.boolean().default(true),
};
const addBody = z.strictObject(draft);
const editBody = z.strictObject({ ...draft, version: z.int() });

const iso = z.iso.datetime();
const endpointSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  isOn: z.boolean(),
  offReason: z.enum(['gone', 'failing']).nullable(),
  failingSince: iso.nullable(),
  version: z.int(),
  createdAt: iso,
});
const addedSchema = endpointSchema.extend({ secret: z.string() });
const deliverySchema = z.object({
  id: z.string(),
  event: z.string(),
  state: z.enum(['waiting', 'sending', 'done', 'dead']),
  attempts: z.int(),
  nextAt: iso.nullable(),
  createdAt: iso,
  triedAt: iso.nullable(),
  status: z.int().nullable(),
  answer: z.string().nullable(),
  problem: z.string().nullable(),
  tookMs: z.int().nullable(),
});

const facts = (summary: string, scope: 'read' | 'write', schema?: z.ZodType, status = 200): ApiFacts => ({
  summary,
  tag: 'Webhooks',
  scope: `webhooks:${scope}`,
  responses: { [status]: { description: summary, ...(schema ? { schema } : {}) } },
});

/** `/api/v1/webhooks`. */
export function webhookApi({ endpoints }: { endpoints: EndpointService }): Route[] {
  return [
    route({
      method: 'get',
      path: ROOT,
      access: 'signed-in',
      api: facts('Endpoints', 'read', z.object({ items: z.array(endpointSchema) })),
      handler: async ({ actor }) => json({ items: (await endpoints.list(actor)).map(endpointJson) }),
    }),
    route({
      method: 'post',
      path: ROOT,
      access: 'signed-in',
      body: addBody,
      api: facts('Add an endpoint; its secret is in this answer only', 'write', addedSchema, 201),
      handler: async ({ actor, body }) => {
        const { endpoint, secret } = await endpoints.add(actor, body);
        const headers = { 'Cache-Control': 'no-store' };
        return json({ ...endpointJson(endpoint), secret }, { status: 201, headers });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      api: facts('An endpoint, without its secret', 'read', endpointSchema),
      handler: async ({ actor, params }) => json(endpointJson(await endpoints.get(actor, params.id))),
    }),
    route({
      method: 'put',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      body: editBody,
      api: facts('Change an endpoint', 'write', endpointSchema),
      handler: async ({ actor, params, body: { version, ...changes } }) =>
        json(endpointJson(await endpoints.edit(actor, params.id, version, changes))),
    }),
    route({
      method: 'delete',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      api: facts('Remove an endpoint and its log', 'write', undefined, 204),
      handler: async ({ actor, params }) => {
        await endpoints.remove(actor, params.id);
        return empty();
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/test`,
      access: 'signed-in',
      params: idParams,
      api: facts('Send a test now and say how it went', 'write', deliverySchema),
      handler: async ({ actor, params }) => json(deliveryJson(await endpoints.test(actor, params.id))),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/secret`,
      access: 'signed-in',
      params: idParams,
      api: facts(
        'Replace the secret; the new one is in this answer only',
        'write',
        z.object({ secret: z.string() }),
      ),
      handler: async ({ actor, params }) =>
        json(
          { secret: await endpoints.rotate(actor, params.id) },
          { headers: { 'Cache-Control': 'no-store' } },
        ),
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/deliveries`,
      access: 'signed-in',
      params: idParams,
      query: pageQuery,
      api: facts(
        'What was sent, newest first',
        'read',
        z.object({ items: z.array(deliverySchema), page: z.int(), perPage: z.int(), total: z.int() }),
      ),
      handler: async ({ actor, params, query }) => {
        const found = await endpoints.deliveries(actor, params.id, query);
        return json({ ...found, items: found.items.map(deliveryJson) });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/deliveries/:deliveryId/redeliver`,
      access: 'signed-in',
      params: deliveryParams,
      api: facts('Send once more what has not arrived', 'write', deliverySchema),
      handler: async ({ actor, params: { id, deliveryId } }) =>
        json(deliveryJson(await endpoints.redeliver(actor, id, deliveryId))),
    }),
  ];
}

const isoOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

const endpointJson = (endpoint: Endpoint): z.infer<typeof endpointSchema> => ({
  id: endpoint.id,
  name: endpoint.name,
  url: endpoint.url,
  events: endpoint.events,
  isOn: endpoint.isOn,
  offReason: endpoint.offReason,
  failingSince: isoOrNull(endpoint.failingSince),
  version: endpoint.version,
  createdAt: new Date(endpoint.createdAt).toISOString(),
});

const deliveryJson = (delivery: Delivery): z.infer<typeof deliverySchema> => ({
  id: delivery.id,
  event: delivery.eventName,
  state: delivery.state,
  attempts: delivery.attempts,
  nextAt: delivery.state === 'waiting' ? isoOrNull(delivery.dueAt) : null,
  createdAt: new Date(delivery.createdAt).toISOString(),
  triedAt: isoOrNull(delivery.triedAt),
  status: delivery.status,
  answer: delivery.answer,
  problem: delivery.problem,
  tookMs: delivery.tookMs,
});
