import type { TrustStatus } from './trust/trust-service.ts';
import type { HubLight, KeyLight, NetworkStatus } from './registration.ts';

interface Light {
  tone: string;
  icon: string;
}

const keyLights: Record<KeyLight, Light> = {
  none: { tone: 'quiet', icon: 'key' },
  unreadable: { tone: 'danger', icon: 'alert-triangle' },
  'other-hub': { tone: 'warning', icon: 'alert-triangle' },
  unconfirmed: { tone: 'info', icon: 'clock' },
  refused: { tone: 'danger', icon: 'ban' },
  ended: { tone: 'warning', icon: 'alert-triangle' },
  valid: { tone: 'success', icon: 'circle-check' },
};
const hubLights: Record<HubLight, Light> = {
  none: { tone: 'quiet', icon: 'world' },
  unknown: { tone: 'info', icon: 'clock' },
  reachable: { tone: 'success', icon: 'circle-check' },
  failing: { tone: 'danger', icon: 'alert-triangle' },
};

/** How long after the hub's answer it may take to see who signs for it. */
const SOON_MS = 15_000;

/** Whether the page will say more in a moment: the hub is being asked, or who signs for it. */
export function isAsking({ key, check }: NetworkStatus, trust: TrustStatus, now: number): boolean {
  if (check === null || check.problem !== null) return false;
  if (check.checkedAt === null) return true;
  return key.light === 'valid' && trust.state === 'unseen' && now - check.checkedAt < SOON_MS;
}

/** The status in the words and colours of the page. */
export function presentNetwork({ hub, key, check, uid }: NetworkStatus): object {
  const plan = check?.answer?.subscription ?? null;
  return {
    hub: { ...hub, ...hubLights[hub.light], name: hostOf(hub.url) },
    key: { ...key, ...keyLights[key.light] },
    check,
    plan,
    begins: noonOf(plan?.begins),
    ends: noonOf(plan?.ends),
    owner: check?.answer?.owner ?? null,
    message: undefined,
    said: check?.answer?.message ?? null,
    isPast: hub.light === 'failing' && plan !== null,
    uid,
    mayCheck: check !== null || key.light === 'unconfirmed',
    /** Why the hub was not asked is said where it can be mended. */
    isNeighbourAsked: hub.neighbour === 'asked',
    mayPaste: !key.isGiven && hub.url !== '',
  };
}

const trustLights: Record<TrustStatus['state'], Light> = {
  none: { tone: 'quiet', icon: 'shield' },
  unseen: { tone: 'quiet', icon: 'shield' },
  unconfirmed: { tone: 'warning', icon: 'shield' },
  confirmed: { tone: 'success', icon: 'shield-check' },
};

/** Whom we believe; the fingerprint as people read it to each other. */
export const presentTrust = (status: TrustStatus): object => ({
  ...status,
  ...trustLights[status.state],
  groups: status.fingerprint?.match(/.{4}/g) ?? [],
});

/** Of a day as hubs write it, for a date in the words of the reader; what is written otherwise is shown as it came. */
function noonOf(day: string | null | undefined): number | null {
  const [written] = /^\d{4}-\d{2}-\d{2}$/.exec(day ?? '') ?? [];
  const at = Date.parse(`${written ?? ''}T12:00:00Z`);
  return Number.isNaN(at) ? null : at;
}

const hostOf = (url: string): string => URL.parse(url)?.host ?? '';
