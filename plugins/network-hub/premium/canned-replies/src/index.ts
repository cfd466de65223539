import { definePlugin, followUpDraft } from 'latchkey/plugin-api';
import { expanded, namesIn } from './expand.ts';
import { findBodies } from './text-repository.ts';
import { textRoutes } from './text-routes.ts';

/** Type // and a short name in a reply; the whole text is sent in its place. */
export default definePlugin((host) => {
  host.routes(textRoutes(host));
  host.filter(followUpDraft, async (draft) => {
    const names = namesIn(draft.body);
    if (names.length === 0) return draft;
    return { ...draft, body: expanded(draft.body, await findBodies(host.db, names)) };
  });
});
