import {
  file,
  ForbiddenError,
  InvalidInputError,
  json,
  NotFoundError,
  route,
  z,
  type ApiFacts,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { countPlugins, findPicture } from './catalogue-repository.ts';
import { CatalogueShelf, rowsOf } from './catalogue-shelf.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { channels, coveringOffers, isFor, withdrawals, type Asker } from './release.ts';
import type { Listing, PublishDraft, ReleaseService } from './release-service.ts';
import type { Offer } from './subscription.ts';
import type { Shown, SubscriptionService } from './subscription-service.ts';
import { titleOf } from './offer-title.ts';
import { listTrials } from './trust/check-in-repository.ts';

interface Deps {
  host: Host;
  subscriptions: SubscriptionService;
  releases: ReleaseService;
  gate: Gatekeeper;
}

const ROOT = '/api/network/v1';
const LIMIT = { name: 'network', points: 600, perSeconds: 60 };
const RATING_LIMIT = { name: 'rating', points: 60, perSeconds: 60 };
const EVERYBODY = 100;
const A_YEAR = 'public, max-age=31536000, immutable';
const digestParams = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/, 'hub.no-such-package') });
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  perPage: z.coerce.number().int().min(1).max(200).default(100),
});

const releaseSchema = z.object({
  version: z.string(),
  channel: z.enum(channels),
  latchkey: z.string().meta({ description: 'Versions of Latchkey it is made for.' }),
  sha256: z.string(),
  size: z.int(),
  notes: z.string(),
  publishedAt: z.iso.datetime(),
  withdrawn: z.enum(withdrawals).nullable(),
  reason: z.string().nullable(),
});
const itemSchema = z.object({
  id: z.string(),
  publisher: z.string(),
  license: z.string(),
  homepage: z.string().nullable(),
  words: z.record(z.string(), z.object({ name: z.string(), description: z.string() })),
  readme: z.record(z.string(), z.string()),
  tags: z.array(z.string()),
  symbol: z.string(),
  icon: z.string().nullable(),
  screenshots: z.array(z.object({ name: z.string(), sha256: z.string() })),
  requiredOffers: z.array(z.string()).meta({ description: 'Every offer that would do; none is free.' }),
  trialDays: z.int(),
  downloads: z.int(),
  stars: z.number(),
  ratings: z.int(),
  opinions: z
    .array(z.object({ stars: z.int(), sentence: z.string(), at: z.iso.datetime() }))
    .meta({ description: 'The last few ratings that came with a sentence.' }),
  addedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  manifest: z.unknown().meta({ description: 'The plugin.json of its newest version.' }),
  releases: z.array(releaseSchema),
});
const catalogueSchema = z.object({
  items: z.array(itemSchema),
  page: z.int(),
  perPage: z.int(),
  total: z.int(),
});
const offerSchema = z.object({ reference: z.string(), title: z.string(), features: z.array(z.string()) });
const publishedSchema = z.object({
  id: z.string(),
  version: z.string(),
  channel: z.enum(channels),
  sha256: z.string(),
  size: z.int(),
});

const averageSchema = z.object({ stars: z.number(), ratings: z.int() });
const ratingForm = z.object({
  stars: z.int().min(1).max(5),
  sentence: z.string().trim().max(300).default(''),
});

/** As forms and programs send it. */
export const publishForm = z.object({
  channel: z.enum(channels).default('stable'),
  offer: z.string().max(60).optional(),
  tags: z
    .string()
    .max(400)
    .transform((text) => text.split(',').filter((tag) => tag.trim() !== ''))
    .optional(),
  trialDays: z.coerce.number().int().min(0).max(365).optional(),
  compatibility: z.union([z.literal('').transform(() => undefined), z.string().max(80)]).optional(),
  /** What `latchkey plugin sign` wrote beside the package. */
  signature: z.union([z.literal('').transform(() => undefined), z.string().max(2_000)]).optional(),
  notes: z.union([z.literal('').transform(() => undefined), z.string().max(20_000)]).optional(),
});

/** GLPI keeps an archive under the last part of its address, and opens it by the end of that name. */
export const packagePath = (sha256: string, name: string): string => `${ROOT}/packages/${sha256}/${name}.tgz`;

const facts = (summary: string, schema: z.ZodType | null, more: Partial<ApiFacts> = {}): ApiFacts => ({
  summary,
  tag: 'Network',
  responses: {
    200: { description: summary, ...(schema ? { schema } : {}) },
    429: { description: 'Too often; Retry-After says when again.' },
  },
  ...more,
});
const byKey =
  'The registration key travels in `X-Registration-Key`, who asks in `X-Glpi-Network-Uid` (40 letters and digits).';

/** `/api/network/v1`: what helpdesks of our own ask, and where publishers publish. */
export function networkApi({ host, subscriptions, releases, gate }: Deps): Route[] {
  const shelf = new CatalogueShelf(host, async (range, asker) => {
    const listed = await releases.list(rowsOf(range));
    const seen = { asker, offers: await subscriptions.offers() };
    const items = listed.map((plugin) => itemOf(plugin, seen));
    const isForAll = listed.every((plugin) => plugin.releases.every(({ share }) => share === EVERYBODY));
    return { body: { items, ...range, total: await countPlugins(host.db) }, isForAll };
  });

  async function assertValid(incoming: Incoming): Promise<Shown & { state: 'valid' }> {
    const judged = await gate.shown(incoming);
    if (judged.state !== 'valid') throw new ForbiddenError(`hub.key-${judged.state}`);
    return judged;
  }

  async function catalogue(incoming: Incoming): Promise<Reply> {
    await assertValid(incoming);
    return shelf.page(pageQuery.parse(incoming.query), gate.asker(incoming));
  }

  /** Asked for once more with the bytes themselves: a subscription may have ended since the list was read. */
  async function fetchPackage(incoming: Incoming): Promise<Reply> {
    const judged = await assertValid(incoming);
    const found = await releases.byDigest(digestParams.parse(incoming.params).sha256);
    if (!found || found.release.withdrawn === 'hidden') throw new NotFoundError('hub.no-such-package');
    const { release, plugin } = found;
    if (release.withdrawn !== null) throw new ForbiddenError('hub.withdrawn');
    const required = coveringOffers(plugin.requiredOffers, await subscriptions.offers());
    const isCovered =
      required.length === 0 || (judged.isRunning && required.includes(judged.offer.reference));
    if (!isCovered && !(await isTrying(judged.subscription.userId, plugin.record.id)))
      throw new ForbiddenError('hub.offer-too-low');
    const packed = await releases.packed(release);
    // Whoever asks for a part only looks whether it is there, or goes on with what was counted.
    const isWhole = incoming.isHead !== true && incoming.header('range') === undefined;
    if (isWhole) await releases.countDownload(release);
    const name = `${plugin.record.id}-${release.version}.tgz`;
    return file(packed, { name, mediaType: 'application/gzip', size: packed.length });
  }

  async function isTrying(userId: string, pluginId: string): Promise<boolean> {
    const now = host.clock.now();
    return (await listTrials(host.db, userId)).some(
      ({ plugin, until }) => plugin === pluginId && now < until,
    );
  }

  async function picture({ params }: Incoming): Promise<Reply> {
    const found = await findPicture(host.db, digestParams.parse(params).sha256);
    if (!found) throw new NotFoundError('hub.no-such-package');
    return file(
      found,
      { name: 'picture.png', mediaType: 'image/png', inline: true, size: found.length },
      { headers: { 'Cache-Control': A_YEAR } },
    );
  }

  async function publish(incoming: Incoming<unknown, unknown, PublishDraft>): Promise<Reply> {
    const { actor, files, body } = incoming;
    const upload = files.find(({ field, size }) => field === 'package' && size > 0);
    if (!upload) throw new InvalidInputError('plugin.package-missing');
    const { listing, release } = await releases.publish(actor, await upload.read(), body);
    const { version, channel, sha256, size } = release;
    return json({ id: listing.record.id, version, channel, sha256, size }, { status: 201 });
  }

  const get = (
    path: string,
    { api, query, rush }: { api: ApiFacts; query?: typeof pageQuery; rush?: true },
    answer: (incoming: Incoming) => Promise<Reply>,
  ): Route =>
    route({
      method: 'get',
      path: `${ROOT}${path}`,
      access: 'public',
      api,
      ...(query ? { query } : {}),
      ...(rush ? { rush } : {}),
      handler: gate.limited(LIMIT, answer),
    });

  return [
    get(
      '/catalogue',
      {
        api: facts('What is published here, by page', catalogueSchema, { description: byKey }),
        query: pageQuery,
        rush: true,
      },
      catalogue,
    ),
    get('/offers', { api: facts('Offers', z.object({ items: z.array(offerSchema) })) }, async ({ locale }) =>
      json({
        items: (await subscriptions.offers()).map((offer) => ({
          reference: offer.reference,
          title: titleOf(host, offer, locale),
          features: offer.features,
        })),
      }),
    ),
    get(
      '/packages/:sha256',
      { api: facts('A package, by its digest', null, { description: byKey }) },
      fetchPackage,
    ),
    get(
      '/packages/:sha256/:name',
      {
        api: facts(
          'The same package, for programs that keep a file under the last part of its address',
          null,
          {
            description: byKey,
          },
        ),
      },
      fetchPackage,
    ),
    get('/pictures/:sha256', { api: facts('An icon or a screenshot, by its digest', null) }, picture),
    route({
      method: 'put',
      path: `${ROOT}/plugins/:id/rating`,
      access: 'public',
      params: z.object({ id: z.string().max(64) }),
      body: ratingForm,
      api: facts('Rate a plugin', averageSchema, {
        description: `One voice for each customer and plugin; the last one counts. ${byKey}`,
      }),
      handler: async (incoming) => {
        await host.limits.count(RATING_LIMIT, incoming.ip);
        const { subscription } = await assertValid(incoming);
        const { stars, people } = await releases.rate(subscription.userId, incoming.params.id, incoming.body);
        return json({ stars, ratings: people });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/releases`,
      access: { right: 'network-hub.publish' },
      uploads: true,
      body: publishForm,
      api: {
        summary: 'Publish a package',
        description:
          '`multipart/form-data` with the file `package`. The same bytes once more change nothing.',
        tag: 'Network',
        scope: 'network-hub:publish',
        responses: { 201: { description: 'Published', schema: publishedSchema } },
      },
      handler: publish,
    }),
  ];
}

function itemOf(
  plugin: Listing,
  { asker, offers }: { asker: Asker; offers: readonly Offer[] },
): z.input<typeof itemSchema> {
  const { record, tags, downloads, stars, people } = plugin;
  const shown = plugin.releases.filter((release) => isFor(release, asker));
  return {
    ...record,
    tags,
    requiredOffers: coveringOffers(plugin.requiredOffers, offers),
    downloads,
    stars,
    ratings: people,
    opinions: plugin.opinions.map((one) => ({ ...one, at: new Date(one.at).toISOString() })),
    addedAt: new Date(plugin.publishedAt).toISOString(),
    updatedAt: new Date(plugin.updatedAt).toISOString(),
    manifest: shown[0]?.manifest ?? null,
    releases: shown.map((release) => ({
      version: release.version,
      channel: release.channel,
      latchkey: release.latchkey,
      sha256: release.sha256,
      size: release.size,
      notes: release.notes,
      publishedAt: new Date(release.publishedAt).toISOString(),
      withdrawn: release.withdrawn,
      reason: release.reason,
    })),
  };
}
