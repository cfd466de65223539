import { createHash } from 'node:crypto';
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
   * Answers what is still to be asked of what is in it.
   * @throws {InvalidInputError} naming what does not hold
   */
  verify(claim: ReleaseClaim, packed: Uint8Array): Promise<AssertSigned>;
}

/** Whether these are the bytes that the catalogue names. */
export const digestVerifier: ReleaseVerifier = {
  verify: ({ sha256, size, pluginId: plugin }, packed) => {
    const isSame = packed.length === size && createHash('sha256').update(packed).digest('hex') === sha256;
    if (isSame) return Promise.resolve(() => undefined);
    return Promise.reject(new InvalidInputError('marketplace.S01', { params: { plugin } }));
  },
};
