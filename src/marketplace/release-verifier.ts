import { digestAside } from '../crypto/digest.ts';
import { InvalidInputError } from '../shared/errors.ts';

/** What a hub says of a package that was fetched from it. */
export interface ReleaseClaim {
  /** Its address, without a slash at the end. */
  hub: string;
  pluginId: string;
  version: string;
  sha256: string;
  size: number;
}

/** Looks at the list of files that was found in a package, before anything else of it is. */
export type AssertSigned = (list: Buffer | null) => void;

/** Stands between the download and the first byte that is unpacked; what it refuses is never looked into. */
export interface ReleaseVerifier {
  /**
   * The bytes may still be on their way. Answers what is still to be asked of what is in them.
   * @throws {InvalidInputError} naming what does not hold
   */
  verify(claim: ReleaseClaim, coming: Uint8Array | Promise<Uint8Array>): Promise<AssertSigned>;
}

/** Whether these are the bytes that the catalogue names. */
export const digestVerifier: ReleaseVerifier = {
  verify: async ({ sha256, size, pluginId: plugin }, coming) => {
    const packed = await coming;
    if (packed.length !== size || (await digestAside(packed)) !== sha256)
      throw new InvalidInputError('marketplace.S01', { params: { plugin } });
    return () => undefined;
  },
};
