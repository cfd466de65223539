import {
  file,
  ForbiddenError,
  isId,
  json,
  route,
  z,
  type ApiFacts,
  type Host,
  type Incoming,
  type Route,
} from 'latchkey/plugin-api';
import type { Gatekeeper } from '../gatekeeper.ts';
import { MOST_BYTES, MOST_FILES, type Asking, type SupportDesk } from './support-desk.ts';

interface Deps {
  host: Host;
  gate: Gatekeeper;
  desk: SupportDesk;
}

const ROOT = '/api/network/v1/support';
const LIMIT = { name: 'support', points: 120, perSeconds: 60 };
const id = z.string().refine(isId, 'hub.no-such-request');
const params = z.object({ id });
const fileParams = z.object({ id, fileId: id });
const author = z.string().trim().min(1).max(120);
const words = z.string().trim().max(20_000);
const openForm = z.object({
  id,
  title: z.string().trim().min(1).max(200),
  body: words.min(1),
  author,
  plugin: z
    .string()
    .max(48)
    .default('')
    .transform((text) => (text === '' ? null : text)),
  diagnostics: z.string().max(20_000).default(''),
});
const sayForm = z
  .object({ id, kind: z.enum(['reply', 'accept']).default('reply'), body: words.default(''), author })
  .refine(({ kind, body }) => kind === 'accept' || body !== '', {
    path: ['body'],
    error: 'hub.say-something',
  });
const newsForm = z.object({
  known: z.array(z.object({ id, reference: z.string().max(20), version: z.int().min(0) })).max(100),
});

const standing = z.object({
  id: z.string().meta({ description: 'As the helpdesk calls it.' }),
  reference: z.string().meta({ description: 'The number of the ticket at the vendor.' }),
  status: z.string(),
});
const news = z.object({
  items: z.array(
    z.discriminatedUnion('isKnown', [
      z.object({ id: z.string(), isKnown: z.literal(false) }),
      standing.extend({
        isKnown: z.literal(true),
        version: z.int().meta({ description: 'To ask with the next time.' }),
        said: z.array(
          z.object({
            id: z.string(),
            kind: z.enum(['follow-up', 'solution']),
            author: z.string(),
            body: z.string().meta({ description: 'Markdown.' }),
            writtenAt: z.iso.datetime(),
            files: z.array(
              z.object({ id: z.string(), name: z.string(), mediaType: z.string(), size: z.int() }),
            ),
          }),
        ),
      }),
    ]),
  ),
});

const byKey =
  'The registration key travels in `X-Registration-Key`, who asks in `X-Glpi-Network-Uid` (40 letters and digits).';
const repeatable = `Made to be repeated until it is answered: the id is the helpdesk’s own, and whatever comes again under it changes nothing. \`multipart/form-data\`, with at most ${String(MOST_FILES)} files of together ${String(MOST_BYTES / 1024 / 1024)} MB.`;

const facts = (summary: string, schema: z.ZodType | null, description: string): ApiFacts => ({
  summary,
  description,
  tag: 'Network',
  responses: {
    200: { description: summary, ...(schema ? { schema } : {}) },
    403: { description: 'The key is not valid, or its offer has no support.' },
    404: { description: 'There is no such request of this helpdesk.' },
    429: { description: 'Too often; Retry-After says when again.' },
  },
});

/** `/api/network/v1/support`: where helpdesks bring their questions and fetch the answers. */
export function supportApi({ host, gate, desk }: Deps): Route[] {
  async function asking(incoming: Incoming): Promise<Asking> {
    const judged = await gate.shown(incoming);
    if (judged.state !== 'valid') throw new ForbiddenError(`hub.key-${judged.state}`);
    const { uid } = gate.asker(incoming);
    if (uid === '') throw new ForbiddenError('hub.no-installation');
    return { ...judged, uid };
  }

  /** Strangers bring no files. */
  async function admit(head: Incoming): Promise<void> {
    await host.limits.count(LIMIT, head.ip);
    await asking(head);
  }

  return [
    route({
      method: 'post',
      path: `${ROOT}/requests`,
      access: 'public',
      uploads: true,
      admit,
      body: openForm,
      api: facts('Open a support request', standing, `${byKey} ${repeatable}`),
      handler: async (incoming) =>
        json(await desk.open(await asking(incoming), incoming.body, incoming.files)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/requests/:id/messages`,
      access: 'public',
      uploads: true,
      admit,
      params,
      body: sayForm,
      api: facts(
        'Say more on a support request',
        standing,
        `\`reply\`, or \`accept\` for a solution that helped. ${byKey} ${repeatable}`,
      ),
      handler: async (incoming) =>
        json(await desk.say(await asking(incoming), incoming.params.id, incoming.body, incoming.files)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/news`,
      access: 'public',
      admit,
      body: newsForm,
      api: facts(
        'What is new on support requests',
        news,
        `Names only those of which there is news. What the helpdesk has said itself does not come back. ${byKey}`,
      ),
      handler: async (incoming) => {
        const found = await desk.news(await asking(incoming), incoming.body.known);
        const items = found.map((one) =>
          one.isKnown
            ? {
                ...one,
                said: one.said.map((said) => ({
                  ...said,
                  writtenAt: new Date(said.writtenAt).toISOString(),
                })),
              }
            : one,
        );
        return json({ items });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/requests/:id/files/:fileId`,
      access: 'public',
      params: fileParams,
      admit,
      api: facts('A file that the vendor sent', null, byKey),
      handler: async (incoming) => {
        const { id: requestId, fileId } = incoming.params;
        const { content, name, size } = await desk.file(await asking(incoming), requestId, fileId);
        return file(content, { name, size, mediaType: 'application/octet-stream' });
      },
    }),
  ];
}
