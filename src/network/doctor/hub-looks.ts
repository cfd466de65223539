import { z } from 'zod';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Actor } from '../../shared/actor.ts';
import type { EntitlementService } from '../entitlement/entitlement-service.ts';
import { headersFor, type HubClient, type HubCredentials } from '../hub-client.ts';
import { problemOfStatus } from '../hub-problem.ts';
import type { NetworkService } from '../network-service.ts';
import type { TrustService } from '../trust/trust-service.ts';
import type { Looked, Looks } from './doctor.ts';
import { refusedWith } from './line-looks.ts';

export interface HubLookDeps {
  outbound: Pick<Outbound, 'send'>;
  hub: HubClient;
  network: Pick<NetworkService, 'status' | 'credentials'>;
  trust: Pick<TrustService, 'status' | 'refresh'>;
  entitlements: Pick<EntitlementService, 'status'>;
  version: string;
}

type HubLooks = Pick<Looks, 'key' | 'key-online' | 'plan' | 'catalogue' | 'download' | 'signatures'>;

const ONE_MS = 5_000;
const CATALOGUE_BYTES = 512 * 1024;
const ofReason = { unknown: 'K07', revoked: 'K08', ended: 'K08' } as const;
const ofState: Readonly<Record<string, string>> = { ended: 'K09', revoked: 'K08', 'not-yet': 'K10' };
/** What a paper that does not hold means. */
const ofPaper: Readonly<Record<string, string>> = {
  form: 'K06',
  signature: 'K06',
  signer: 'S02',
  hub: 'K05',
  older: 'S04',
};
/** As hubs of every kind list plugins; `versions` is an array or, with gaps, an object. */
const release = z.object({ download_url: z.string().nullish() });
const versions = z.union([z.array(release), z.record(z.string(), release)]);
const listed = z.array(z.object({ versions: versions.transform((found) => Object.values(found)) }));

/** What the hub says once it can be heard: of the key, the plan, its plugins and its signatures. */
export function hubLooks(deps: HubLookDeps, { actor, hub }: { actor: Actor; hub: string }): HubLooks {
  const { outbound, network, trust, entitlements, version } = deps;
  const seen: { package: string | null; credentials: HubCredentials | null } = {
    package: null,
    credentials: null,
  };
  const headersTo = (url: string): Record<string, string> =>
    seen.credentials && URL.parse(url)?.origin === URL.parse(hub)?.origin
      ? headersFor(seen.credentials, version)
      : {};
  return {
    key: async () => {
      const { key } = await network.status(actor);
      if (key.problem !== null) return { state: 'problem', problem: key.problem };
      seen.credentials = await network.credentials();
      return { facts: { key: key.mark ?? '' } };
    },
    'key-online': () => askAboutKey(deps.hub, seen.credentials),
    plan: async () => {
      const { key } = await network.status(actor);
      const { state, offer, problem } = await entitlements.status();
      const facts = { plan: offer ?? '-', state };
      if (problem !== null) return { state: 'problem', problem: ofPaper[problem] ?? 'K06', facts };
      const wrong = ofState[state] ?? (key.light === 'ended' ? 'K09' : undefined);
      return wrong === undefined ? { facts } : { state: 'warning', problem: wrong, facts };
    },
    catalogue: async () => {
      const url = `${hub}/api/marketplace/plugins`;
      const headers = { ...headersTo(url), 'x-range': '0-19' };
      const answer = await outbound.send({
        url,
        method: 'GET',
        headers,
        timeoutMs: ONE_MS,
        maxBytes: CATALOGUE_BYTES,
      });
      if (answer.isCut) return { state: 'problem', problem: 'N16' };
      if (answer.status !== 200) return refusedWith(answer);
      const read = listed.safeParse(jsonOf(answer.text));
      if (!read.success)
        return { state: 'problem', problem: problemOfStatus(200, answer.headers['content-type'] ?? '') };
      const addresses = read.data.flatMap(({ versions }) => versions.map((one) => one.download_url));
      seen.package = addresses.find((address) => typeof address === 'string') ?? null;
      return { facts: { plugins: read.data.length } };
    },
    download: async () => {
      if (seen.package === null) return { state: 'skipped' };
      const headers = { ...headersTo(seen.package), range: 'bytes=0-0' };
      const answer = await outbound.send({
        url: seen.package,
        method: 'GET',
        headers,
        timeoutMs: ONE_MS,
        maxBytes: 1,
      });
      const facts = { from: URL.parse(seen.package)?.host ?? '' };
      const { status, text, headers: said } = answer;
      if (status !== 200 && status !== 206) return withFacts(refusedWith(answer), facts);
      if (text === '') return { state: 'problem', problem: 'N16', facts };
      const isPage = said['content-type']?.includes('html') === true;
      return isPage ? { state: 'problem', problem: 'N15', facts } : { facts };
    },
    signatures: async () => {
      await trust.refresh();
      const { state, problem, isStale } = await trust.status();
      if (problem !== null) return { state: 'problem', problem };
      if (state === 'unconfirmed') return { state: 'warning', problem: 'S09' };
      if (state !== 'confirmed') return { state: 'skipped' };
      return isStale ? { state: 'warning', problem: 'S03' } : {};
    },
  };
}

async function askAboutKey(hub: HubClient, credentials: HubCredentials | null): Promise<Looked> {
  if (!credentials) return { state: 'problem', problem: 'K01' };
  const outcome = await hub.ask({ ...credentials, signal: AbortSignal.timeout(ONE_MS) });
  if ('problem' in outcome) return { state: 'problem', problem: outcome.problem };
  const { isValid, reason, message } = outcome.answer;
  if (isValid) return {};
  const facts = message === null ? {} : { said: message };
  return { state: 'problem', problem: ofReason[reason ?? 'unknown'], facts };
}

const withFacts = (looked: Looked, facts: Record<string, string>): Looked => ({
  ...looked,
  facts: { ...looked.facts, ...facts },
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
