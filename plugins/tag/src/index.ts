import { definePlugin, ticketSearch } from 'latchkey/plugin-api';
import { tagsIn } from './tag.ts';
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
    const { slugs } = tagsIn(q);
    const all = await tags.list();
    return all.length === 0
      ? null
      : { tags: all.map((tag) => ({ ...present(tag), isOn: slugs.includes(tag.slug) })) };
  });

  host.filter(ticketSearch, async (asked) => {
    const { slugs, rest } = tagsIn(asked.q);
    return slugs.length === 0
      ? asked
      : { ...asked, q: rest, among: await ticketsWith(host.db, slugs, MOST_FOUND) };
  });
});
