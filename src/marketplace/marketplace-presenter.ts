import { presentTouches } from '../plugin-host/index.ts';
import type { Reading } from './catalogue-repository.ts';
import { sorts, type Wish } from './catalogue-search-repository.ts';
import type { Offered, Shelf } from './marketplace-service.ts';
import type { Rating } from './rating-repository.ts';
import { percentOf, steps, type Operation } from './operation.ts';

const PATH = '/admin/marketplace';
const OLD_MS = 2 * 86_400_000;

interface Reader {
  locale: string;
}

/** What the page says before any plugin: whether there is a catalogue, whose, and how old. */
export function presentShelf({ standing, reading, mayBrowse }: Shelf): object {
  const { hub, key, check, now, paper } = standing;
  const light = hub.url === '' ? 'no-hub' : paper?.state === 'revoked' ? 'revoked' : key.light;
  return {
    mayBrowse,
    hub: URL.parse(hub.url)?.host ?? '',
    portal: hub.url === '' ? '' : `${hub.url}/network`,
    light,
    gate: gateOf(standing),
    readAt: reading?.readAt ?? null,
    isWaiting: isAsking(check) || (mayBrowse && (reading?.readAt ?? null) === null && !reading?.problem),
    problem: reading?.problem ?? null,
    isOld: reading?.readAt !== null && now - (reading?.readAt ?? now) > OLD_MS,
    plan: standing.check?.answer?.subscription?.title ?? null,
  };
}

/** The hub has not said anything of the key yet, and nothing has gone wrong either. */
const isAsking = (check: Shelf['standing']['check']): boolean =>
  check?.checkedAt === null && check.problem === null;

/** What keeps premium plugins, or all of them, from coming; null when nothing does. */
function gateOf({ isStranger, paper, key }: Shelf['standing']): string | null {
  if (isStranger) return 'hub-unconfirmed';
  if (paper === null) return key.light === 'ended' ? 'ended' : null;
  const gates = { none: 'no-paper', 'not-yet': 'not-yet', ended: 'ended', stale: 'dark' } as const;
  return paper.state === 'entitled' || paper.state === 'revoked' ? null : gates[paper.state];
}

/** What one can do with it next: one button, or the reason why there is none. */
function buttonOf({ local, release, refusal, hasUpdate, skip, underWay }: Offered): string {
  if (underWay) return 'under-way';
  if (local?.isBundled === true && local.desired === 'disabled')
    return refusal === null ? 'install' : 'refused';
  if (hasUpdate && skip === null) return refusal === null ? 'update' : 'update-refused';
  if (local?.desired === 'disabled' && (refusal === 'security' || refusal === 'trial-over')) return 'refused';
  if (local) return local.desired === 'enabled' ? 'on' : 'off';
  if (!release) return 'incompatible';
  return refusal === null ? 'install' : 'refused';
}

export function presentOffered(offered: Offered, reading: Reading | null, reader: Reader): object {
  const { item, release, refusal, local, underWay } = offered;
  const words = item.words[reader.locale] ?? item.words['en'];
  const version = local?.isBundled === true ? local.version : (release?.version ?? '');
  return {
    id: item.id,
    path: `${PATH}/plugins/${item.id}`,
    name: words?.name ?? item.id,
    description: words?.description ?? '',
    publisher: item.publisher,
    symbol: item.symbol,
    picture: item.icon ? `${PATH}/pictures/${item.icon}` : null,
    isFree: item.requiredOffers.length === 0,
    offer: leastOffer(item.requiredOffers, reading),
    offers: titlesOf(item.requiredOffers, reading),
    trialDays: item.trialDays,
    downloads: item.downloads,
    stars: item.ratings > 0 ? item.stars : null,
    ratings: item.ratings,
    updatedAt: item.updatedAt,
    version,
    from: local?.chosen ?? null,
    isBundled: local?.isBundled ?? false,
    isLocked: refusal === 'offer-too-low' || refusal === 'trial-over',
    button: buttonOf(offered),
    refusal,
    reason: offered.securityReason ?? release?.reason ?? null,
    mayTry: offered.mayTry,
    maySkip: offered.hasUpdate && offered.skip === null && underWay === undefined,
    skip: offered.skip,
    trial: presentTrial(offered),
    localPath: `/admin/plugins/${item.id}`,
    touches: item.manifest ? presentTouches(item.manifest) : [],
    progress: underWay ? { path: `${PATH}/operations/${underWay.id}`, percent: percentOf(underWay) } : null,
  };
}

const SOON = 3;

const presentTrial = ({ trialDaysLeft: days }: Offered): object | null =>
  days === null ? null : { days, tone: days > SOON ? 'info' : 'warning' };

/** All of it, for its own page. */
export function presentDetails(offered: Offered, reading: Reading | null, reader: Reader): object {
  const { item, release, local } = offered;
  const { manifest } = item;
  return {
    ...presentOffered(offered, reading, reader),
    license: item.license,
    homepage: item.homepage,
    readme: item.readme[reader.locale] ?? item.readme['en'] ?? '',
    screenshots: item.screenshots.map(({ name, sha256 }) => ({
      name: name.replaceAll(/[-_]+/g, ' '),
      source: `${PATH}/pictures/${sha256}`,
    })),
    tags: item.tags,
    kilobytes: release ? Math.ceil(release.size / 1024) : null,
    sha256: release?.sha256 ?? '',
    latchkey: release?.latchkey ?? item.releases[0]?.latchkey ?? '',
    claims: manifest?.claims ?? [],
    rights: manifest?.rights.map(({ id }) => id) ?? [],
    jobs: manifest?.jobs.map(({ id }) => id) ?? [],
    hooks: manifest?.hooks.uses ?? [],
    requires: Object.entries(manifest?.dependencies.requires ?? {}).map(([id, range]) => `${id} ${range}`),
    isHere: local !== undefined && (local.chosen !== null || local.desired === 'enabled'),
    previous: local?.previous ?? null,
    versions: item.releases.map((one) => ({
      ...one,
      isHere: one.version === (local?.chosen ?? (local?.isBundled === true ? local.version : '')),
      isTaken: one.version === release?.version,
    })),
  };
}

function stateOfRating({ isTold, refusal }: Rating): 'told' | 'refused' | 'waits' {
  if (isTold) return 'told';
  return refusal === null ? 'waits' : 'refused';
}

/** What this house thinks of it, and what others do. */
export const presentRating = ({ item, local }: Offered, mine: Rating | null): object => ({
  path: `${PATH}/plugins/${item.id}/rating`,
  mayRate: local !== undefined && (local.chosen !== null || local.desired === 'enabled'),
  mine: mine && { ...mine, state: stateOfRating(mine) },
  choices: [5, 4, 3, 2, 1].map((stars) => ({ value: stars, key: `marketplace:rate.${String(stars)}` })),
  opinions: item.opinions,
});

export function presentOperation(operation: Operation & { isOver: boolean }): object {
  const { step, problem, pluginId } = operation;
  const shown = steps.filter((one) => one !== 'planned' && one !== 'failed' && one !== 'done');
  const at = steps.indexOf(step);
  return {
    ...operation,
    percent: percentOf(operation),
    path: `${PATH}/operations/${operation.id}`,
    pluginPath: `/admin/plugins/${pluginId}`,
    back: `${PATH}/plugins/${pluginId}`,
    isDone: step === 'done',
    isFailed: step === 'failed',
    problemCode: problem,
    steps:
      operation.size === 0
        ? []
        : shown.map((one) => ({
            key: `marketplace:step.${one}`,
            isPast: step !== 'failed' && steps.indexOf(one) < at,
            isNow: one === step,
          })),
  };
}

export const presentWish = (
  wish: Wish,
  tags: readonly { tag: string; label: string; count: number }[],
): object => ({
  ...wish,
  isNarrow: wish.words !== '' || wish.tag !== '' || wish.only !== '',
  sorts: sorts.map((value) => ({ value, key: `marketplace:sort.${value}` })),
  tags: tags.map(({ tag, label, count }) => ({ tag, label, count, isOn: tag === wish.tag })),
});

/** The first of the hub's offers that would do; the list of a plugin is a set and has no order. */
const leastOffer = (required: readonly string[], reading: Reading | null): string | null =>
  titlesOf(required, reading)[0] ?? null;

const titlesOf = (required: readonly string[], reading: Reading | null): string[] =>
  (reading?.offers ?? []).filter(({ reference }) => required.includes(reference)).map(({ title }) => title);
