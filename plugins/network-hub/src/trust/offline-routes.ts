import {
  file,
  InvalidInputError,
  NotFoundError,
  route,
  view,
  z,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { Listing, ReleaseService } from '../release-service.ts';
import { coveringOffers, fitsProgram } from '../release.ts';
import type { Shown, SubscriptionService } from '../subscription-service.ts';
import { paperFor } from './papers.ts';
import type { TrustService } from './trust-service.ts';

interface Deps {
  host: Host;
  trust: TrustService;
  subscriptions: SubscriptionService;
  releases: ReleaseService;
}

const PATH = '/network/offline';
const access = 'signed-in' as const;
const MOST_BYTES = 64_000;
/** What still fits on a page of memory and through a form. */
const LARGEST = 40 * 1024 * 1024;
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
const requestFile = z.object({
  format: z.literal(1),
  instance: z.string().max(40),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  nonce: z.string().max(64),
  latchkey: z.string().max(40),
});

/** For helpdesks without a way out: a request is brought here, and a file with all that the hub would have said goes back. */
export function offlineRoutes({ host, trust, subscriptions, releases }: Deps): Route[] {
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

  /** Only whose key it is may have papers for it. */
  async function judgedFor({ actor }: Pick<Incoming, 'actor'>, keyDigest: string): Promise<Shown> {
    const judged = await subscriptions.judgeDigest(Buffer.from(keyDigest, 'hex'));
    const isOwn = judged.state === 'valid' && judged.subscription.userId === actor.userId;
    if (!isOwn && !actor.can('network-hub.manage')) throw new NotFoundError('hub.no-entitlement');
    return judged;
  }

  /** The newest signed version of each that its Latchkey and the offer allow. */
  async function packagesFor(
    ids: readonly string[],
    { judged, program }: { judged: Shown; program: string },
  ): Promise<{ id: string; version: string; content: string }[]> {
    const offers = await subscriptions.offers();
    const mayHave = ({ requiredOffers }: Listing): boolean => {
      const required = coveringOffers(requiredOffers, offers);
      if (required.length === 0) return true;
      return judged.state === 'valid' && judged.isRunning && required.includes(judged.offer.reference);
    };
    const found: { id: string; version: string; content: string }[] = [];
    let size = 0;
    for (const id of new Set(ids)) {
      const listing = await releases.find(id);
      if (!mayHave(listing)) throw new InvalidInputError('hub.offer-too-low');
      const unsigned = await releases.unsignedOf(listing);
      const release = listing.releases.find(
        (one) =>
          one.channel === 'stable' &&
          one.withdrawn === null &&
          fitsProgram(one, program) &&
          !unsigned.includes(one.version),
      );
      if (!release) throw new InvalidInputError('hub.nothing-signed', { params: { plugin: id } });
      size += release.size;
      if (size > LARGEST) throw new InvalidInputError('hub.too-much-at-once');
      found.push({
        id,
        version: release.version,
        content: (await releases.packed(release)).toString('base64'),
      });
    }
    return found;
  }

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
        const asked = requestFile.safeParse(jsonOf(text));
        if (!asked.success) throw new InvalidInputError('hub.no-request-file');
        const { key, instance, nonce, latchkey } = asked.data;
        const judged = await judgedFor(incoming, key);
        const paper = { uid: instance, keyDigest: key, nonce, judged };
        const entitlement = await paperFor({ host, trust, subscriptions }, paper);
        if (entitlement === null) throw new NotFoundError('hub.no-entitlement');
        const packages = await packagesFor(body.plugin, { judged, program: `Latchkey/${latchkey}` });
        const paths = packages.map(({ id, version }) => `plugins/${id}/${version}.tgz`);
        const bundle = { format: 1, documents: await trust.documentsFor(paths), entitlement, packages };
        return file(Buffer.from(JSON.stringify(bundle)), {
          name: 'latchkey-answer.json',
          mediaType: 'application/json',
        });
      },
    }),
  ];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
