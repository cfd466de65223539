import { empty, json, route, z, type ApiFacts, type Route } from 'latchkey/plugin-api';
import { tones, type Tag } from './tag.ts';
import type { TagService } from './tag-service.ts';

const numberParams = z.object({ number: z.coerce.number().int().positive() });
const tagSchema = z.object({ id: z.string(), name: z.string(), slug: z.string(), tone: z.enum(tones) });
const listSchema = z.object({ items: z.array(tagSchema) });

const facts = (summary: string, scope: 'read' | 'write', schema?: z.ZodType, status = 200): ApiFacts => ({
  summary,
  tag: 'Tags',
  scope: `tag:${scope}`,
  responses: { [status]: { description: summary, ...(schema ? { schema } : {}) } },
});

/** `/api/p/tag`. */
export function tagApi(tags: TagService): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/p/tag/tags',
      access: { right: 'ticket.read' },
      api: facts('Tags', 'read', listSchema),
      handler: async () => json({ items: (await tags.list()).map(tagJson) }),
    }),
    route({
      method: 'post',
      path: '/api/p/tag/tags',
      access: { right: 'tag.manage' },
      body: z.strictObject({ name: z.string().trim().min(1).max(40), tone: z.enum(tones).default('quiet') }),
      api: facts('Add a tag', 'write', tagSchema, 201),
      handler: async ({ actor, body }) => json(tagJson(await tags.add(actor, body)), { status: 201 }),
    }),
    route({
      method: 'delete',
      path: '/api/p/tag/tags/:id',
      access: { right: 'tag.manage' },
      params: z.object({ id: z.string().max(40) }),
      api: facts('Remove a tag, from every ticket too', 'write', undefined, 204),
      handler: async ({ actor, params }) => {
        await tags.remove(actor, params.id);
        return empty();
      },
    }),
    route({
      method: 'get',
      path: '/api/p/tag/tickets/:number',
      access: 'signed-in',
      params: numberParams,
      api: facts('Tags of a ticket', 'read', listSchema),
      handler: async ({ actor, params }) =>
        json({ items: (await tags.of(actor, params.number)).tags.map(tagJson) }),
    }),
    route({
      method: 'put',
      path: '/api/p/tag/tickets/:number',
      access: 'signed-in',
      params: numberParams,
      body: z.strictObject({ tags: z.array(z.string().max(40)).max(100) }),
      api: facts('These tags and no others on a ticket', 'write', listSchema),
      handler: async ({ actor, params, body }) => {
        await tags.set(actor, params.number, body.tags);
        return json({ items: (await tags.of(actor, params.number)).tags.map(tagJson) });
      },
    }),
  ];
}

const tagJson = ({ id, name, slug, tone }: Tag): object => ({ id, name, slug, tone });
