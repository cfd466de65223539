import {
  covers,
  withdrawalOf,
  type Entitled,
  type HouseRules,
  type NetworkStatus,
} from '../network/index.ts';
import type { CatalogueItem, CatalogueRelease } from './catalogue-item.ts';

/** Why something may not be installed or updated now. */
export type Refusal =
  | 'no-key'
  | 'unconfirmed'
  | 'refused'
  | 'revoked'
  | 'hub-unconfirmed'
  | 'no-paper'
  | 'not-yet'
  | 'ended'
  | 'dark'
  | 'offer-too-low'
  | 'trial-over'
  | 'withdrawn'
  | 'security';

/** How long a hub may be gone before premium plugins wait for it. */
export const DARK_MS = 30 * 86_400_000;

/** What was last heard from the hub, with the time it is now. */
export type Standing = Pick<NetworkStatus, 'hub' | 'key' | 'check'> & {
  now: number;
  /** Somebody signs for this hub, and nobody here has confirmed who. */
  isStranger: boolean;
  /** What the hub has signed of this installation; null at a hub that signs nothing: there its answers count. */
  paper: Entitled | null;
  /** What its keepers have signed, the withdrawals among it. */
  rules: HouseRules | null;
};

type Item = Pick<CatalogueItem, 'id' | 'requiredOffers'>;
type Release = Pick<CatalogueRelease, 'version' | 'withdrawn' | 'reason'>;

/** With a paper, whatever the hub only says of the key counts for nothing. */
const hasPaper = ({ paper }: Standing): boolean => paper !== null && paper.state !== 'none';

/** Whether the catalogue is shown at all: with a key that the hub has confirmed once and not refused since. */
export function mayBrowse(standing: Standing): boolean {
  if (hasPaper(standing)) return standing.paper?.state !== 'revoked';
  const { light } = standing.key;
  return light === 'valid' || light === 'ended';
}

/** Null when it may. What is installed is never asked about: it runs. */
export function refusalOf(
  standing: Standing,
  item: Item,
  release: Release | undefined,
  { isBundled = false } = {},
): Refusal | null {
  const locked = refusalOfKey(standing);
  if (locked !== null) return locked;
  // What lies here already is nobody's download.
  if (standing.isStranger && !isBundled) return 'hub-unconfirmed';
  if (securityReason(standing, item, release) !== null) return 'security';
  if (release?.withdrawn === 'no-installs') return 'withdrawn';
  if (item.requiredOffers.length === 0) return null;
  return standing.paper === null ? refusalByAnswer(standing, item) : refusalByPaper(standing.paper, item);
}

/** A plugin that the offer does not cover may be tried, where the vendor lets people try it and nobody here has yet. */
export const mayTry = (
  { paper }: Standing,
  { trialDays }: Pick<CatalogueItem, 'trialDays'>,
  refusal: Refusal | null,
): boolean => refusal === 'offer-too-low' && trialDays > 0 && paper?.state === 'entitled';

/** Until when a plugin is tried here; null when it is not, or when the offer covers it by now. */
export function trialEnds({ paper }: Pick<Standing, 'paper'>, { id, requiredOffers }: Item): number | null {
  if (paper === null || covers({ ...paper, trials: {} }, { id, required: requiredOffers })) return null;
  return paper.trials[id] ?? null;
}

/** Why a version was withdrawn for security: as two keepers have signed it, else as the catalogue says; null when it was not. */
export function securityReason(
  { rules }: Pick<Standing, 'rules'>,
  { id }: Pick<Item, 'id'>,
  release: Release | undefined,
): string | null {
  if (!release) return null;
  const signed = rules && withdrawalOf(rules, id, release.version);
  if (signed !== null) return signed;
  return release.withdrawn === 'security' ? (release.reason ?? '') : null;
}

function refusalOfKey(standing: Standing): Refusal | null {
  if (hasPaper(standing)) return standing.paper?.state === 'revoked' ? 'revoked' : null;
  const { light } = standing.key;
  if (light === 'unconfirmed' || light === 'refused') return light;
  return mayBrowse(standing) ? null : 'no-key';
}

function refusalByAnswer({ key, check, now }: Standing, { requiredOffers }: Item): Refusal | null {
  if (key.light === 'ended') return 'ended';
  const isDark = (check?.failingSince ?? null) !== null && now - (check?.answeredAt ?? 0) > DARK_MS;
  if (isDark) return 'dark';
  return requiredOffers.includes(check?.answer?.subscription?.offer ?? '') ? null : 'offer-too-low';
}

function refusalByPaper(paper: Entitled, { id, requiredOffers }: Item): Refusal | null {
  if (covers(paper, { id, required: requiredOffers })) return null;
  switch (paper.state) {
    case 'none':
      return 'no-paper';
    case 'stale':
      return 'dark';
    case 'entitled':
      return paper.triedBefore.includes(id) ? 'trial-over' : 'offer-too-low';
    default:
      return paper.state;
  }
}
