import { InvalidInputError, NotFoundError, z, type Actor, type Host } from 'latchkey/plugin-api';
import { coveringOffers, fitsProgram } from '../release.ts';
import type { Listing, ReleaseService } from '../release-service.ts';
import type { Shown, SubscriptionService } from '../subscription-service.ts';
import { paperFor } from './papers.ts';
import type { TrustService } from './trust-service.ts';

interface Deps {
  host: Host;
  trust: TrustService;
  subscriptions: SubscriptionService;
  releases: ReleaseService;
}

/** What still fits on a page of memory and through a form. */
const LARGEST = 40 * 1024 * 1024;
const requestFile = z.object({
  format: z.literal(1),
  instance: z.string().max(40),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  nonce: z.string().max(64),
  latchkey: z.string().max(40),
});

/** For helpdesks without a way out: to a request that was carried here, all that the hub would have said over the line. */
export class OfflineAnswers {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Signed documents, entitlement and the newest packages of these plugins, in one file. */
  async answerTo(actor: Actor, request: string, plugins: readonly string[]): Promise<Buffer> {
    const { trust } = this.#deps;
    const asked = requestFile.safeParse(jsonOf(request));
    if (!asked.success) throw new InvalidInputError('hub.no-request-file');
    const { key, instance, nonce, latchkey } = asked.data;
    const judged = await this.#judgedFor(actor, key);
    const entitlement = await paperFor(this.#deps, { uid: instance, keyDigest: key, nonce, judged });
    if (entitlement === null) throw new NotFoundError('hub.no-entitlement');
    const packages = await this.#packagesFor(plugins, { judged, program: `Latchkey/${latchkey}` });
    const paths = packages.map(({ id, version }) => `plugins/${id}/${version}.tgz`);
    const documents = await trust.documentsFor(paths);
    return Buffer.from(JSON.stringify({ format: 1, documents, entitlement, packages }));
  }

  /** Only whose key it is may have papers for it. */
  async #judgedFor(actor: Actor, keyDigest: string): Promise<Shown> {
    const judged = await this.#deps.subscriptions.judgeDigest(Buffer.from(keyDigest, 'hex'));
    const isOwn = judged.state === 'valid' && judged.subscription.userId === actor.userId;
    if (!isOwn && !actor.can('network-hub.manage')) throw new NotFoundError('hub.no-entitlement');
    return judged;
  }

  /** The newest signed version of each that its Latchkey and the offer allow. */
  async #packagesFor(
    ids: readonly string[],
    { judged, program }: { judged: Shown; program: string },
  ): Promise<{ id: string; version: string; content: string }[]> {
    const { subscriptions, releases } = this.#deps;
    const offers = await subscriptions.offers();
    const mayHave = ({ requiredOffers }: Listing): boolean => {
      const required = coveringOffers(requiredOffers, offers);
      if (required.length === 0) return true;
      return judged.state === 'valid' && judged.isRunning && required.includes(judged.offer.reference);
    };
    const found: { id: string; version: string; content: string }[] = [];
    let size = 0;
    for (const id of new Set(ids)) {
      const listing = await releases.find(id);
      if (!mayHave(listing)) throw new InvalidInputError('hub.offer-too-low');
      const unsigned = await releases.unsignedOf(listing);
      const release = listing.releases.find(
        (one) =>
          one.channel === 'stable' &&
          one.withdrawn === null &&
          fitsProgram(one, program) &&
          !unsigned.includes(one.version),
      );
      if (!release) throw new InvalidInputError('hub.nothing-signed', { params: { plugin: id } });
      size += release.size;
      if (size > LARGEST) throw new InvalidInputError('hub.too-much-at-once');
      const content = (await releases.packed(release)).toString('base64');
      found.push({ id, version: release.version, content });
    }
    return found;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
