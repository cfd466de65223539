import { Distrust, verifySigned, type TrustService } from '../network/index.ts';
import { InvalidInputError } from '../shared/errors.ts';
import { digestVerifier, type ReleaseVerifier } from './release-verifier.ts';

/** Catalogue and publisher must both have signed what was downloaded (ruling 38); what the hub's pages say counts for nothing. */
export const trustVerifier = (trust: Pick<TrustService, 'claim'>): ReleaseVerifier => ({
  verify: async (claim, packed) => {
    await digestVerifier.verify(claim, packed);
    const { pluginId: id, version } = claim;
    try {
      await verifySigned(await trust.claim(packagePath(id, version)), { id, version, packed });
    } catch (error) {
      if (!(error instanceof Distrust)) throw error;
      throw new InvalidInputError(`network.${error.problem}`, {
        cause: error,
        params: { plugin: id, version },
      });
    }
  },
});

/** What a package is called in the hub's catalogue. */
const packagePath = (id: string, version: string): string => `plugins/${id}/${version}.tgz`;
