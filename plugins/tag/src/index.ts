import { definePlugin, ticketSearchFields } from 'latchkey/plugin-api';
import { slugOf, tagsIn } from './tag.ts';
import { tagApi } from './tag-api.ts';
import { ticketsWith } from './tag-repository.ts';
import { present, tagRoutes } from './tag-routes.ts';
import { TagService } from './tag-service.ts';

/** A list shows the newest of a tag that is on more tickets than this. */
const MOST_FOUND = 2_000;

/** Tags on tickets: chips beside the conversation, `tag:…` in the search. */
export default definePlugin((host) => {
  const tags = new TagService(host);

  host.routes([...tagRoutes(tags), ...tagApi(tags)]);

  host.slot<{ number: number }>('ticket.sidebar', 'tag/ticket', async ({ number }, actor) => {
    const { tags: chosen, mayChange } = await tags.of(actor, number);
    const all = mayChange ? await tags.list() : [];
    if (chosen.length === 0 && all.length === 0) return null;
    return {
      number,
      mayChange,
      chosen: chosen.map(present),
      all: all.map((tag) => ({ ...present(tag), isOn: chosen.some(({ id }) => id === tag.id) })),
    };
  });

  host.slot<{ q: string }>('ticket.list', 'tag/bar', async ({ q }) => {
    const slugs = tagsIn(q);
    const all = await tags.list();
    return all.length === 0
      ? null
      : { tags: all.map((tag) => ({ ...present(tag), isOn: slugs.includes(tag.slug) })) };
  });

  host.contribute(ticketSearchFields, async ({ asked: { tag: asked }, actor }) => ({
    name: 'tag',
    example: host.t('search.example', {}, actor.locale),
    ...(asked ? { found: await ticketsWith(host.db, asked.map(slugOf), MOST_FOUND) } : {}),
  }));
});
