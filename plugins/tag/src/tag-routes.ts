import { redirect, route, view, z, type FieldProblem, type Reply, type Route } from 'latchkey/plugin-api';
import { pathOf, tones, type Tag } from './tag.ts';
import type { TagService } from './tag-service.ts';

const access = { right: 'tag.manage' } as const;
const draft = z.object({ name: z.string().trim().min(1).max(40), tone: z.enum(tones).catch('quiet') });
/** Boxes that are ticked: none, one or several. */
const ticked = z.union([z.array(z.string()), z.string().transform((one) => [one])]).default([]);
const numberParams = z.object({ number: z.coerce.number().int().positive() });

interface Refused {
  name: string;
  errors: readonly FieldProblem[];
}

/** The tags there are, and those of a ticket. */
export function tagRoutes(tags: TagService): Route[] {
  const page = async (actor: Parameters<TagService['counted']>[0], refused?: Refused): Promise<Reply> =>
    view('tag/list', {
      tags: (await tags.counted(actor)).map((tag) => ({ ...present(tag), tickets: tag.tickets })),
      tones: tones.map((tone) => ({ tone, key: `tag:tone.${tone}`, isFirst: tone === 'quiet' })),
      name: refused?.name ?? '',
      errors: refused?.errors ?? [],
    });
  return [
    route({ method: 'get', path: '/p/tag', access, handler: ({ actor }) => page(actor) }),
    route({
      method: 'post',
      path: '/p/tag/tags',
      access,
      body: draft,
      handler: async ({ actor, body }) => {
        await tags.add(actor, body);
        return redirect('/p/tag', { flash: { kind: 'success', code: 'tag:added' } });
      },
      onRefused: ({ actor, body }, error) => page(actor, { name: nameIn(body), errors: error.fields }),
    }),
    route({
      method: 'post',
      path: '/p/tag/tags/:id/remove',
      access,
      params: z.object({ id: z.string().max(40) }),
      handler: async ({ actor, params }) => {
        await tags.remove(actor, params.id);
        return redirect('/p/tag', { flash: { kind: 'success', code: 'tag:removed' } });
      },
    }),
    route({
      method: 'post',
      path: '/p/tag/tickets/:number',
      access: 'signed-in',
      params: numberParams,
      body: z.object({ tags: ticked }),
      handler: async ({ actor, params: { number }, body }) => {
        await tags.set(actor, number, body.tags);
        return redirect(`/tickets/${String(number)}`, { flash: { kind: 'success', code: 'tag:kept' } });
      },
    }),
  ];
}

export const present = (tag: Tag): object => ({
  id: tag.id,
  name: tag.name,
  tone: tag.tone,
  slug: tag.slug,
  path: pathOf(tag),
});

const nameIn = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'name' in body && typeof body.name === 'string'
    ? body.name
    : '';
