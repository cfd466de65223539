import {
  assertSigned,
  covers,
  Distrust,
  namedBy,
  type EntitlementService,
  type TrustService,
} from '../network/index.ts';
import { ConflictError, InvalidInputError } from '../shared/errors.ts';
import {
  digestVerifier,
  type AssertSigned,
  type ReleaseClaim,
  type ReleaseVerifier,
} from './release-verifier.ts';

/**
 * Catalogue and publisher must both have signed what was downloaded (ruling 38); what the hub's pages say counts for nothing. A hub that
 * has shown who signs for it is confirmed before anything comes from it. One that never has is held to its own digests: nothing more is
 * to be had from it, and once it has shown a root there is no way back to that. A package that the hub has signed for some offers only is
 * taken with a paper for one of them.
 */
export const trustVerifier = (
  trust: Pick<TrustService, 'claim' | 'status'>,
  entitlements: Pick<EntitlementService, 'status'>,
): ReleaseVerifier => {
  /** Null of a hub that signs nothing. */
  async function signedFor({
    pluginId: id,
    version,
    size,
    sha256,
  }: ReleaseClaim): Promise<AssertSigned | null> {
    const { state } = await trust.status();
    if (state === 'unseen' || state === 'none') return null;
    try {
      const named = namedBy(await trust.claim(packagePath(id, version)), { id, version, size, sha256 });
      const { offers: required } = named;
      if (required.length > 0 && !covers(await entitlements.status(), { id, required }))
        throw new ConflictError('marketplace.refused.offer-too-low', { params: { plugin: id } });
      return (list) => {
        assertSigned(named, list);
      };
    } catch (error) {
      if (!(error instanceof Distrust)) throw error;
      throw new InvalidInputError(`network.${error.problem}`, {
        cause: error,
        params: { plugin: id, version },
      });
    }
  }

  return {
    verify: async (claim, coming) => {
      // What the hub has signed is asked for while the bytes come; nothing is left under way when either fails.
      const [judged, signed] = [digestVerifier.verify(claim, coming), signedFor(claim)];
      await Promise.allSettled([judged, signed]);
      const nothingMore = await judged;
      return (await signed) ?? nothingMore;
    },
  };
};

/** What a package is called in the hub's catalogue. */
export const packagePath = (id: string, version: string): string => `plugins/${id}/${version}.tgz`;
