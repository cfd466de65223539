import {
  InvalidInputError,
  redirect,
  route,
  view,
  z,
  type Flash,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
  type UploadedFile,
} from 'latchkey/plugin-api';
import { goodsHere, packGood } from './goods.ts';
import { publishForm } from './network-api.ts';
import { titleOf } from './offer-title.ts';
import { nameIn, withdrawals, type Release } from './release.ts';
import type { Listing, ReleaseService } from './release-service.ts';
import type { SubscriptionService } from './subscription-service.ts';

interface Deps {
  host: Host;
  subscriptions: SubscriptionService;
  releases: ReleaseService;
}

const PATH = '/admin/hub/plugins';
const access = { right: 'network-hub.publish' };
const plugin = z.object({ id: z.string().max(64) });
const version = plugin.extend({ version: z.string().max(40) });
const ownForm = publishForm.extend({ here: z.string().max(64).default('') });
const shareForm = z.object({ share: z.coerce.number().int().min(0).max(100) });
const withdrawForm = z.object({ kind: z.enum(withdrawals), reason: z.string().trim().max(500).default('') });
const typed = z.object({
  here: z.string().catch(''),
  channel: z.string().catch('stable'),
  offer: z.string().catch(''),
  tags: z.string().catch(''),
  trialDays: z.string().catch(''),
  compatibility: z.string().catch(''),
  notes: z.string().catch(''),
});
const tones = { hidden: 'quiet', 'no-installs': 'warning', security: 'danger' } as const;

/** Where publishers bring packages, stage them, and take them back. */
export function publishRoutes({ host, subscriptions, releases }: Deps): Route[] {
  const offersIn = async (locale: string): Promise<{ value: string; label: string }[]> => [
    { value: '', label: host.t('published.free', {}, locale) },
    ...(await subscriptions.offers())
      .filter(({ isFree }) => !isFree)
      .map((offer) => ({ value: offer.reference, label: titleOf(host, offer, locale) })),
  ];

  /** Plugins on this server in a version that is not published yet. */
  const goodsFor = async (
    locale: string,
    published: readonly Listing[],
  ): Promise<{ value: string; label: string }[]> => {
    const known = new Set(
      published.flatMap(({ releases: all, record }) => all.map(({ version: one }) => `${record.id} ${one}`)),
    );
    return (await goodsHere())
      .filter(({ id, version: one }) => !known.has(`${id} ${one}`))
      .map((good) => ({ value: good.id, label: `${nameIn(good, locale)} ${good.version}` }));
  };

  const list = async (
    { actor, locale, body }: Pick<Incoming, 'actor' | 'locale' | 'body'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const offers = await offersIn(locale);
    const published = await releases.all(actor);
    return view('network-hub/published', {
      plugins: published.map((one) => presentListing(one, { locale, offers })),
      offers,
      goods: await goodsFor(locale, published),
      form: typed.parse(body ?? {}),
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? { code: error.code, params: error.params } : undefined,
    });
  };

  const details = async (
    { locale, params }: Pick<Incoming<z.output<typeof plugin>>, 'locale' | 'params'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const listing = await releases.find(params.id);
    const unsigned = await releases.unsignedOf(listing);
    return view('network-hub/published-plugin', {
      plugin: presentListing(listing, { locale, offers: await offersIn(locale), unsigned }),
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? { code: error.code, params: error.params } : undefined,
    });
  };

  const act = (
    what: string,
    body: z.ZodType,
    work: (incoming: Incoming<z.output<typeof version>>) => Promise<void>,
  ): Route =>
    route({
      method: 'post',
      path: `${PATH}/:id/:version/${what}`,
      access,
      params: version,
      body,
      onRefused: (incoming, error) => {
        if (error.kind === 'forbidden' || error.kind === 'not-found') throw error;
        return details(incoming, error);
      },
      handler: async (incoming) => {
        await work(incoming);
        return redirect(`${PATH}/${incoming.params.id}`, { flash: said(what, incoming.params.version) });
      },
    });

  return [
    route({ method: 'get', path: PATH, access, handler: (incoming) => list({ ...incoming, body: {} }) }),
    route({
      method: 'post',
      path: PATH,
      access,
      uploads: true,
      body: ownForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'forbidden') throw error;
        return list(incoming, error);
      },
      handler: async ({ actor, files, body: { here, ...body } }) => {
        const packed = await packedFrom(here, files);
        // A form always says what is free; only programs leave it open.
        const signed = files.find(({ field, size }) => field === 'signature' && size > 0 && size < 2_000);
        const signature = signed ? (await signed.read()).toString('utf8') : body.signature;
        const draft = { ...body, signature };
        const { listing, release } = await releases.publish(actor, packed, draft);
        return redirect(`${PATH}/${listing.record.id}`, { flash: said('published', release.version) });
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/:id`,
      access,
      params: plugin,
      handler: (incoming) => details(incoming),
    }),
    act('stage', shareForm, async ({ actor, params, body }) =>
      releases.stage(actor, params.id, params.version, shareForm.parse(body).share),
    ),
    act('withdraw', withdrawForm, async ({ actor, params, body }) =>
      releases.withdraw(actor, params.id, params.version, withdrawForm.parse(body)),
    ),
    act('restore', z.object({}), ({ actor, params }) => releases.restore(actor, params.id, params.version)),
  ];
}

/** What lies on this server, packed now, or the file that was chosen. */
async function packedFrom(here: string, files: readonly UploadedFile[]): Promise<Buffer> {
  const upload = files.find(({ field, size }) => field === 'package' && size > 0);
  if (here !== '' && upload) throw new InvalidInputError('hub.here-or-file');
  if (here !== '') return packGood(here);
  if (!upload) throw new InvalidInputError('plugin.package-missing');
  return upload.read();
}

const said = (what: string, version: string): Flash => ({
  kind: 'success',
  code: `network-hub:flash.${what}`,
  params: { version },
});

function presentListing(
  { record, requiredOffers, downloads, stars, people, tags, releases, updatedAt }: Listing,
  {
    locale,
    offers,
    unsigned = [],
  }: {
    locale: string;
    offers: readonly { value: string; label: string }[];
    unsigned?: readonly string[];
  },
): object {
  const words = record.words[locale] ?? record.words['en'];
  const [newest] = releases;
  return {
    id: record.id,
    path: `${PATH}/${record.id}`,
    name: words?.name ?? record.id,
    description: words?.description ?? '',
    publisher: record.publisher,
    symbol: record.symbol,
    offer: offers.find(({ value }) => value === (requiredOffers[0] ?? ''))?.label ?? '',
    isFree: requiredOffers.length === 0,
    trialDays: record.trialDays,
    downloads,
    stars: people === 0 ? null : stars,
    people,
    tags,
    version: newest?.version ?? '',
    updatedAt,
    releases: releases.map((release) => ({
      ...presentRelease(release),
      isUnsigned: unsigned.includes(release.version),
    })),
  };
}

const presentRelease = ({ withdrawn, sha256, size, ...release }: Release): object => ({
  ...release,
  withdrawn,
  isStaged: release.share < 100,
  tone: withdrawn ? tones[withdrawn] : 'success',
  digest: sha256.slice(0, 12),
  kilobytes: Math.ceil(size / 1024),
});
