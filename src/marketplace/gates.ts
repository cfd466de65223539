import type { NetworkStatus } from '../network/index.ts';
import type { CatalogueItem, CatalogueRelease } from './catalogue-item.ts';

/** Why something may not be installed or updated now. */
export type Refusal =
  'no-key' | 'unconfirmed' | 'refused' | 'ended' | 'dark' | 'offer-too-low' | 'withdrawn' | 'security';

/** How long a hub may be gone before premium plugins wait for it. */
export const DARK_MS = 30 * 86_400_000;

/** What was last heard from the hub, with the time it is now. */
export type Standing = Pick<NetworkStatus, 'hub' | 'key' | 'check'> & { now: number };

/** Whether the catalogue is shown at all: with a key that the hub has confirmed once and not refused since. */
export function mayBrowse({ key }: Standing): boolean {
  return key.light === 'valid' || key.light === 'ended';
}

/** Null when it may. What is installed is never asked about: it runs. */
export function refusalOf(
  standing: Standing,
  { requiredOffers }: Pick<CatalogueItem, 'requiredOffers'>,
  release: Pick<CatalogueRelease, 'withdrawn'> | undefined,
): Refusal | null {
  const { key, check, now } = standing;
  if (key.light === 'unconfirmed') return 'unconfirmed';
  if (key.light === 'refused') return 'refused';
  if (!mayBrowse(standing)) return 'no-key';
  if (release?.withdrawn === 'security') return 'security';
  if (release?.withdrawn === 'no-installs') return 'withdrawn';
  if (requiredOffers.length === 0) return null;
  if (key.light === 'ended') return 'ended';
  const isDark = (check?.failingSince ?? null) !== null && now - (check?.answeredAt ?? 0) > DARK_MS;
  if (isDark) return 'dark';
  return requiredOffers.includes(check?.answer?.subscription?.offer ?? '') ? null : 'offer-too-low';
}
