import {
  redirect,
  route,
  view,
  z,
  type FieldProblem,
  type Host,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { deleteText, listTexts, putText } from './text-repository.ts';

const PATH = '/p/ticket-templates';
const access = { right: 'ticket-templates.manage' };
const form = z.object({
  slug: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9][a-z0-9-]{0,38}$/, 'ticket-templates.slug'),
  body: z.string().trim().min(1).max(10_000),
});
const typed = z.object({ slug: z.string().catch(''), body: z.string().catch('') });
const params = z.object({ slug: z.string().max(40) });

/** The texts there are, and the form for one more. */
export function textRoutes(host: Host): Route[] {
  const page = async (body: unknown = {}, errors: readonly FieldProblem[] = []): Promise<Reply> =>
    view('ticket-templates/list', { texts: await listTexts(host.db), form: typed.parse(body), errors });
  const said = (code: string, name: string): Reply =>
    redirect(PATH, { flash: { kind: 'success', code: `ticket-templates:${code}`, params: { name } } });
  return [
    route({ method: 'get', path: PATH, access, handler: () => page() }),
    route({
      method: 'post',
      path: PATH,
      access,
      body: form,
      onRefused: ({ body }, error) => page(body, error.fields),
      handler: async ({ body }) => {
        await host.transaction((tx) => putText(tx, { ...body, savedAt: host.clock.now() }));
        return said('saved', body.slug);
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/:slug/remove`,
      access,
      params,
      handler: async ({ params: { slug } }) => {
        await host.transaction((tx) => deleteText(tx, slug));
        return said('removed', slug);
      },
    }),
  ];
}
