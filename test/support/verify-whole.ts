import type { ReleaseClaim, ReleaseVerifier } from '../../src/marketplace/index.ts';
import { unpack } from '../../src/plugin-host/unpack.ts';
import { temporaryFolder } from '../plugin-host/start-host.ts';

/** As an installation does: the bytes first, then the list of files in them. */
export async function verifyWhole(
  verifier: ReleaseVerifier,
  claim: ReleaseClaim,
  packed: Uint8Array,
): Promise<void> {
  const assertSigned = await verifier.verify(claim, packed);
  const { list } = await unpack(packed, await temporaryFolder());
  assertSigned(list);
}
