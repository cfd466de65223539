import { definePlugin, route, view } from 'latchkey/plugin-api';

/** A page that greets whoever opens it. */
export default definePlugin((host) => {
  host.routes([
    route({
      method: 'get',
      path: '/p/__id__',
      access: 'signed-in',
      handler: ({ actor }) => view('__id__/page', { name: actor.name }),
    }),
  ]);
});
