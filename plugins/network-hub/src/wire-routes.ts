import {
  json,
  route,
  TooManyError,
  z,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { countPlugins, listPlugins, topTags, type PublishedPlugin } from './catalogue-repository.ts';
import type { Offer, Subscription } from './subscription.ts';
import type { Shown, SubscriptionService } from './subscription-service.ts';

interface Deps {
  host: Host;
  subscriptions: SubscriptionService;
}

const A_MINUTE = 60;
const PER_MINUTE = 120;
const PAGE = 200;
const TOP_TAGS = 15;
/** Forty letters and digits, as GLPI makes them and we do. */
const uidForm = /^[0-9A-Za-z]{40}$/;
const tagParams = z.object({ tag: z.string().max(60) });

/** What helpdesks ask, GLPI's included: its paths, shapes and habits. The status is 200 wherever the body says it all. */
export function wireRoutes({ host, subscriptions }: Deps): Route[] {
  const limited =
    (answer: (incoming: Incoming) => Promise<Reply>) =>
    async (incoming: Incoming): Promise<Reply> => {
      try {
        await host.limits.count({ name: 'wire', points: PER_MINUTE, perSeconds: A_MINUTE }, incoming.ip);
      } catch (error) {
        if (!(error instanceof TooManyError)) throw error;
        const headers = { 'Retry-After': String(error.retryAfter ?? A_MINUTE) };
        return json({ message: 'Too Many Attempts.' }, { status: 429, headers });
      }
      return answer(incoming);
    };
  const get = (path: string, answer: (incoming: Incoming) => Promise<Reply>): Route =>
    route({ method: 'get', path, access: 'public', handler: limited(answer as never) });

  /** Judges the key in the header, and notes who showed it. */
  async function shown(incoming: Incoming): Promise<Shown> {
    const judged = await subscriptions.judge(incoming.header('x-registration-key') ?? '');
    const uid = incoming.header('x-glpi-network-uid') ?? '';
    if (judged.state === 'valid' && judged.keyId !== undefined && uidForm.test(uid)) {
      const program = printable(incoming.userAgent).slice(0, 80);
      await subscriptions.noteInstance(judged.keyId, {
        subscriptionId: judged.subscription.id,
        uid,
        program,
      });
    }
    return judged;
  }

  const info = async (incoming: Incoming): Promise<Reply> => {
    const key = incoming.header('x-registration-key') ?? '';
    const judged = await shown(incoming);
    const { locale } = incoming;
    const isValid = judged.state === 'valid';
    return json({
      key,
      is_valid: isValid,
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
    });
  };

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

  const alive = (): Promise<Reply> => Promise.resolve(json({ status: 'ok' }));

  /** Past the end is an empty list: only that tells GLPI to stop. */
  async function plugins(incoming: Incoming, tag?: string): Promise<Reply> {
    const judged = await shown(incoming);
    if (judged.state !== 'valid') return json([]);
    const range = rangeOf(incoming.header('x-range'));
    const total = await countPlugins(host.db, tag);
    const found = await listPlugins(host.db, { ...range, ...(tag === undefined ? {} : { tag }) });
    const last = range.from + found.length - 1;
    return json(
      found.map((plugin) => onTheWire(plugin, judged.isRunning ? judged.offer.reference : null)),
      {
        headers: {
          'Accept-Range': `${String(total)} model`,
          'Content-Range':
            found.length === 0
              ? `0-0/${String(total)}`
              : `${String(range.from)}-${String(last)}/${String(total)}`,
        },
      },
    );
  }

  const tags = async (incoming: Incoming): Promise<Reply> => {
    const lang = /^[A-Za-z-]{2,8}$/.exec(incoming.header('x-lang') ?? '')?.[0] ?? 'en';
    const top = await topTags(host.db, TOP_TAGS);
    return json(top.map(({ tag, label, count }) => ({ key: tag, tag: label, lang, plugin_count: count })));
  };

  return [
    get('/api/registration', alive),
    get('/api/ping', alive),
    get('/api/registration/info', info),
    get('/api/registration/offers', offers),
    ...['/api/marketplace', '/api/glpi-plugins'].flatMap((root) => [
      get(`${root}/plugins`, (incoming) => plugins(incoming)),
      get(`${root}/tags/top`, tags),
      get(`${root}/tags/:tag/plugin`, (incoming) => plugins(incoming, tagParams.parse(incoming.params).tag)),
    ]),
  ];
}

/** `0-199`; what is no range is the first page, what is longer than a page is cut to one. */
export function rangeOf(header: string | undefined): { from: number; limit: number } {
  const [, from = '0', to = ''] = /^(\d{1,7})-(\d{1,7})$/.exec(header?.trim() ?? '') ?? [];
  const first = Number(from);
  const length = to === '' ? PAGE : Number(to) - first + 1;
  return { from: first, limit: Math.min(PAGE, Math.max(length, 0)) };
}

/** Whoever has too low an offer sees all of it but where to fetch it. */
function onTheWire(plugin: PublishedPlugin, offer: string | null): object {
  const { record, requiredOffers } = plugin;
  const isCovered = requiredOffers.length === 0 || (offer !== null && requiredOffers.includes(offer));
  const versions = record.versions.map((version) =>
    isCovered ? version : { ...version, download_url: null },
  );
  return {
    ...record,
    id: plugin.number,
    key: plugin.nameKey,
    date_added: microseconds(plugin.publishedAt),
    date_updated: microseconds(plugin.updatedAt),
    download_count: plugin.downloads,
    versions,
    required_offers: requiredOffers.length === 0 ? null : requiredOffers,
  };
}

const microseconds = (at: number): string => new Date(at).toISOString().replace('Z', '000Z');
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** The free offer has no dates, as GLPI's clients know it. */
const period = ({ isFree }: Offer, { beginsAt, endsAt }: Subscription): object =>
  isFree
    ? { begin_date: null, end_date: null }
    : { begin_date: dayOf(beginsAt), end_date: endsAt === null ? null : dayOf(endsAt) };

export const titleOf = (
  host: Host,
  { reference, title }: Pick<Offer, 'reference' | 'title'>,
  locale: string,
): string =>
  ['virtual', 'network-basic', 'network-standard', 'network-advanced'].includes(reference)
    ? host.t(`offer.${reference}`, {}, locale)
    : title;

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '');
