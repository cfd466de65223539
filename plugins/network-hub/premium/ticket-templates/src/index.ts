import { definePlugin, ticketDraft } from 'latchkey/plugin-api';
import { expanded, namesIn } from './expand.ts';
import { findBodies } from './text-repository.ts';
import { textRoutes } from './text-routes.ts';

/** Type ## and a short name in the description of a new ticket; the whole template takes its place. */
export default definePlugin((host) => {
  host.routes(textRoutes(host));
  host.filter(ticketDraft, async (draft) => {
    const names = namesIn(draft.description);
    if (names.length === 0) return draft;
    return { ...draft, description: expanded(draft.description, await findBodies(host.db, names)) };
  });
});
