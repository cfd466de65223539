import { digestOf, type Host } from 'latchkey/plugin-api';
import { offersIncludedIn } from '../release.ts';
import type { Shown, SubscriptionService } from '../subscription-service.ts';
import { listTrials } from './check-in-repository.ts';
import { signedEntitlement } from './entitlement.ts';
import type { TrustService } from './trust-service.ts';

interface Deps {
  host: Host;
  trust: TrustService;
  subscriptions: SubscriptionService;
}

interface Asked {
  /** Of the helpdesk: forty letters and digits. */
  uid: string;
  /** SHA-256 of its key, in hexadecimal digits. */
  keyDigest: string;
  nonce: string;
  judged: Shown;
}

const PAPER_MS = 30 * 86_400_000;
const uidForm = /^[0-9A-Za-z]{40}$/;

/** What a helpdesk is entitled to, signed; null for strangers, and while nobody has named who signs. */
export async function paperFor(
  { host, trust, subscriptions }: Deps,
  { uid, keyDigest, nonce, judged }: Asked,
): Promise<string | null> {
  const [signer, now] = [await trust.entitlementSigner(), await trust.look()];
  if (!signer || !now || !uidForm.test(uid) || judged.state === 'unknown') return null;
  const at = host.clock.now();
  const common = {
    iss: now.fingerprint,
    instance: uid,
    key: keyDigest,
    nonce,
    seq: at,
    hub_time: at,
    not_before: at,
    doc_until: at + PAPER_MS,
  };
  if (judged.state !== 'valid') {
    const state = judged.state === 'revoked' ? 'revoked' : 'ended';
    const none = { licence_until: at, offer: '', includes: [], owner: '', features: [], trials: {} };
    return signedEntitlement({ ...common, ...none, state }, signer);
  }
  const { subscription, offer, isRunning } = judged;
  const trials = await listTrials(host.db, subscription.userId);
  return signedEntitlement(
    {
      ...common,
      not_before: Math.max(at, subscription.beginsAt),
      licence_until: subscription.endsAt,
      state: isRunning || subscription.beginsAt > at ? 'running' : 'ended',
      offer: offer.reference,
      includes: offersIncludedIn(offer, await subscriptions.offers()),
      owner: subscription.owner.slice(0, 120),
      features: offer.features,
      trials: Object.fromEntries(trials.map((trial) => [trial.plugin, trial.until])),
    },
    signer,
  );
}

/** A key as entitlements name it. */
export const keyDigestOf = (key: string): string => digestOf(key).toString('hex');
