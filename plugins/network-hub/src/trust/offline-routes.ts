import {
  file,
  route,
  view,
  z,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { ReleaseService } from '../release-service.ts';
import type { OfflineAnswers } from './offline-answers.ts';
import type { TrustService } from './trust-service.ts';

interface Deps {
  trust: TrustService;
  releases: ReleaseService;
  answers: OfflineAnswers;
}

const PATH = '/network/offline';
const access = 'signed-in' as const;
const MOST_BYTES = 64_000;
const LISTED = 100;
const plugins = z.union([
  z.array(z.string().max(48)).max(50),
  z
    .string()
    .max(48)
    .transform((one) => [one]),
]);
const offlineForm = z.object({
  request: z.string().max(MOST_BYTES).default(''),
  plugin: plugins.default([]),
});
/** For helpdesks without a way out: a request is brought here, and a file with all that the hub would have said goes back. */
export function offlineRoutes({ trust, releases, answers }: Deps): Route[] {
  const page = async ({ locale }: Pick<Incoming, 'locale'>, error?: KnownError): Promise<Reply> =>
    view('network-hub/offline', {
      isSigning: (await trust.look()) !== null,
      plugins: (await releases.list({ from: 0, limit: LISTED })).map(({ record }) => ({
        id: record.id,
        name: (record.words[locale] ?? record.words['en'])?.name ?? record.id,
      })),
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? error.code : undefined,
    });

  return [
    route({ method: 'get', path: PATH, access, handler: (incoming) => page(incoming) }),
    route({
      method: 'post',
      path: PATH,
      access,
      uploads: true,
      body: offlineForm,
      onRefused: (incoming, error) => page(incoming, error),
      handler: async (incoming) => {
        const { files, body } = incoming;
        const carried = files.find(({ field, size }) => field === 'file' && size > 0 && size < MOST_BYTES);
        const text = carried ? (await carried.read()).toString('utf8') : body.request;
        const answer = await answers.answerTo(incoming.actor, text, body.plugin);
        return file(answer, {
          name: 'latchkey-answer.json',
          mediaType: 'application/json',
        });
      },
    }),
  ];
}
