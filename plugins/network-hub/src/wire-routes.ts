import { json, route, z, type Host, type Incoming, type Reply, type Route } from 'latchkey/plugin-api';
import { countPlugins, topTags } from './catalogue-repository.ts';
import { dayOf } from './day.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { packagePath } from './network-api.ts';
import { KeptReplies } from './kept-replies.ts';
import { titleOf } from './offer-title.ts';
import { coveringOffers, isFor, type Asker, type Release } from './release.ts';
import type { Listing, ReleaseService } from './release-service.ts';
import type { Offer, Subscription } from './subscription.ts';
import type { Shown, SubscriptionService } from './subscription-service.ts';

interface Deps {
  host: Host;
  subscriptions: SubscriptionService;
  releases: ReleaseService;
  gate: Gatekeeper;
}

const PAGE = 200;
const TOP_TAGS = 15;
/** Generous: a first page of GLPI 10 asks dozens of times, and a whole ministry may sit behind one address. */
const LIMIT = { name: 'wire', points: 300, perSeconds: 60 };
/** What our own helpdesks speak with us besides; a higher number is another language. */
const NETWORK_VERSION = 1;
const tagParams = z.object({ tag: z.string().max(60) });
const languages = ['en', 'fr'] as const;
const ranked = ['trending', 'popular', 'new', 'updated'] as const;

/** What helpdesks ask, GLPI's included: its paths, shapes and habits. The status is 200 wherever the body says it all. */
export function wireRoutes({ host, subscriptions, releases, gate }: Deps): Route[] {
  const get = (path: string, answer: (incoming: Incoming) => Promise<Reply>, rush?: true): Route =>
    route({
      method: 'get',
      path,
      access: 'public',
      ...(rush ? { rush } : {}),
      handler: gate.limited(LIMIT, answer),
    });

  /** What is said of a key that is as it was is said in the same words. */
  const saidOf = new KeptReplies();
  const info = async (incoming: Incoming): Promise<Reply> => {
    const { locale } = incoming;
    const key = incoming.header('x-registration-key') ?? '';
    const judged = await gate.shown(incoming);
    // Anybody may show what is no key, as often and as long as they like: nothing is kept of that.
    return judged.state === 'valid'
      ? saidOf.find(judged, locale, () => json(wordsOn(judged, { key, locale })))
      : json(wordsOn(judged, { key, locale }));
  };

  function wordsOn(judged: Shown, { key, locale }: { key: string; locale: string }): object {
    const isValid = judged.state === 'valid';
    return {
      key,
      is_valid: isValid,
      // For helpdesks of our own; GLPI's do not look.
      ...(isValid ? {} : { reason: judged.state }),
      validation_message: host.t(
        `wire.${isValid && !judged.isRunning ? 'terminated' : judged.state}`,
        {},
        locale,
      ),
      owner: isValid ? { name: judged.subscription.owner } : null,
      subscription: isValid
        ? {
            offer_reference: judged.offer.reference,
            title: titleOf(host, judged.offer, locale),
            is_running: judged.isRunning,
            ...period(judged.offer, judged.subscription),
            features: judged.offer.features,
          }
        : null,
    };
  }

  const offers = async ({ locale }: Incoming): Promise<Reply> =>
    json(
      (await subscriptions.offers())
        .filter(({ isFree }) => !isFree)
        .map((offer) => ({
          offer_reference: offer.reference,
          title: titleOf(host, offer, locale),
          features: offer.features,
        })),
    );

  const alive = (): Promise<Reply> => Promise.resolve(json({ status: 'ok', network: NETWORK_VERSION }));

  /** Past the end is an empty list: only that tells GLPI to stop. */
  async function plugins(incoming: Incoming, tag?: string): Promise<Reply> {
    const judged = await gate.shown(incoming);
    if (judged.state !== 'valid') return json([]);
    const range = rangeOf(incoming.header('x-range'));
    const total = await countPlugins(host.db, tag);
    const found = await releases.list({ ...range, ...(tag === undefined ? {} : { tag }) });
    const seen = { judged, asker: gate.asker(incoming), offers: await subscriptions.offers() };
    const last = range.from + found.length - 1;
    const part =
      found.length === 0 ? `0-0/${String(total)}` : `${String(range.from)}-${String(last)}/${String(total)}`;
    return json(
      found.map((plugin) => onTheWire(plugin, { ...seen, origin: incoming.origin })),
      { headers: { 'Accept-Range': `${String(total)} model`, 'Content-Range': part } },
    );
  }

  /** GLPI 9.5 shows these lists, and reads only the keys. */
  async function rankedKeys(incoming: Incoming, by: (typeof ranked)[number]): Promise<Reply> {
    if ((await gate.shown(incoming)).state !== 'valid') return json([]);
    const all = await releases.list({ from: 0, limit: PAGE });
    const worth = {
      trending: 'downloads',
      popular: 'stars',
      new: 'publishedAt',
      updated: 'updatedAt',
    } as const;
    const sorted = all.toSorted((one, other) => other[worth[by]] - one[worth[by]]).slice(0, TOP_TAGS);
    return json(sorted.map(({ nameKey }) => ({ key: nameKey })));
  }

  /** Told after the fact, and nobody waits for more than this: the bytes themselves are counted where they are fetched. */
  const counted = (): Promise<Reply> => Promise.resolve(json({ ok: true }));

  const tags = async (incoming: Incoming): Promise<Reply> => {
    const lang = langOf(incoming.header('x-lang'));
    const top = await topTags(host.db, TOP_TAGS);
    return json(top.map(({ tag, label, count }) => ({ key: tag, tag: label, lang, plugin_count: count })));
  };

  return [
    get('/api/registration', alive),
    get('/api/ping', alive),
    get('/api/registration/info', info, true),
    get('/api/registration/offers', offers),
    ...['/api/marketplace', '/api/glpi-plugins'].flatMap((root) => [
      get(`${root}/plugins`, (incoming) => plugins(incoming)),
      get(`${root}/tags/top`, tags),
      ...ranked.map((by) => get(`${root}/plugin/${by}`, (incoming) => rankedKeys(incoming, by))),
      get(`${root}/plugin/:key/download`, counted),
      get(`${root}/plugin/:key/download/:version`, counted),
      get(`${root}/tags/:tag/plugin`, (incoming) => plugins(incoming, tagParams.parse(incoming.params).tag)),
    ]),
  ];
}

/** `pt-BR`, `en-GB`: the language before the country where we speak it, else English. */
export const langOf = (header: string | undefined): string =>
  languages.find((known) => header?.toLowerCase().startsWith(known)) ?? 'en';

/** `0-199`; what is no range is the first page, what is longer than a page is cut to one. */
export function rangeOf(header: string | undefined): { from: number; limit: number } {
  const [, from = '0', to = ''] = /^(\d{1,7})-(\d{1,7})$/.exec(header?.trim() ?? '') ?? [];
  const first = Number(from);
  const length = to === '' ? PAGE : Number(to) - first + 1;
  return { from: first, limit: Math.min(PAGE, Math.max(length, 0)) };
}

interface Seen {
  judged: Shown & { state: 'valid' };
  asker: Asker;
  offers: readonly Offer[];
  origin: string;
}

/** Whoever has too low an offer sees all of it but where to fetch it. */
function onTheWire(plugin: Listing, { judged, asker, offers, origin }: Seen): object {
  const { record, number, nameKey } = plugin;
  const required = coveringOffers(plugin.requiredOffers, offers);
  const isCovered = required.length === 0 || (judged.isRunning && required.includes(judged.offer.reference));
  const { homepage } = record;
  return {
    id: number,
    key: nameKey,
    name: record.words['en']?.name ?? record.id,
    logo_url: record.icon === null ? null : `${origin}/api/network/v1/pictures/${record.icon}`,
    xml_url: '',
    homepage_url: homepage ?? '',
    download_url: homepage ?? '',
    issues_url: '',
    readme_url: '',
    changelog_url: '',
    license: record.license,
    date_added: microseconds(plugin.publishedAt),
    date_updated: microseconds(plugin.updatedAt),
    download_count: plugin.downloads,
    note: plugin.stars,
    xml_state: 'passing',
    authors: [{ id: number, name: record.publisher }],
    versions: plugin.releases
      .filter((release) => isFor(release, asker) && release.withdrawn === null)
      .map((release) => versionOf(release, { nameKey, origin: isCovered ? origin : null })),
    descriptions: Object.entries(record.words).map(([lang, { description }]) => ({
      lang,
      short_description: description,
      long_description: record.readme[lang] ?? record.readme['en'] ?? '',
    })),
    required_offers: required.length === 0 ? null : required,
    short_description: record.words['en']?.description ?? '',
  };
}

const versionOf = (
  { version, compatibility, latchkey, channel, sha256 }: Release,
  { nameKey, origin }: { nameKey: string; origin: string | null },
): object => ({
  num: version,
  compatibility: compatibility ?? latchkey,
  download_url: origin === null ? null : `${origin}${packagePath(sha256, `${nameKey}-${version}`)}`,
  stability: channel === 'stable' ? 'stable' : 'beta',
});

const microseconds = (at: number): string => new Date(at).toISOString().replace('Z', '000Z');

/** The free offer has no dates, as GLPI's clients know it. */
const period = ({ isFree }: Offer, { beginsAt, endsAt }: Subscription): object =>
  isFree
    ? { begin_date: null, end_date: null }
    : { begin_date: dayOf(beginsAt), end_date: endsAt === null ? null : dayOf(endsAt) };
