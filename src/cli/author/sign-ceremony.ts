import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { Metadata, MetadataKind, Signature } from '@tufjs/models';
import { z } from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';

const document = z.looseObject({ signed: z.looseObject({ _type: z.string(), version: z.int() }) });
const ceremony = z.object({ format: z.literal(1), root: document.nullable(), targets: document });

/**
 * Adds one keeper's signature to the documents of a ceremony. It needs neither a database nor the hub, so that the key never has to
 * leave a machine without a network.
 *
 * @throws {InvalidInputError} when it is no ceremony, or no key
 */
export function signCeremony(
  text: string,
  pem: string,
): { text: string; keyId: string; root: number | null; targets: number } {
  const { root, targets } = ceremonyFrom(text);
  const { key, keyId } = keyFrom(pem);
  const signer = (data: Buffer): Signature =>
    new Signature({ keyID: keyId, sig: sign(null, data, key).toString('hex') });
  const rootMetadata = root && Metadata.fromJSON(MetadataKind.Root, root as never);
  const targetsMetadata = Metadata.fromJSON(MetadataKind.Targets, targets as never);
  rootMetadata?.sign(signer);
  targetsMetadata.sign(signer);
  const signed = { format: 1, root: rootMetadata?.toJSON() ?? null, targets: targetsMetadata.toJSON() };
  return {
    text: `${JSON.stringify(signed)}\n`,
    keyId,
    root: root?.signed.version ?? null,
    targets: targets.signed.version,
  };
}

function ceremonyFrom(text: string): z.output<typeof ceremony> {
  try {
    return ceremony.parse(JSON.parse(text));
  } catch (cause) {
    throw new InvalidInputError('author.not-a-ceremony', { cause });
  }
}

function keyFrom(pem: string): { key: KeyObject; keyId: string } {
  try {
    const key = createPrivateKey(pem);
    const raw = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32);
    if (key.asymmetricKeyType === 'ed25519')
      return { key, keyId: createHash('sha256').update(raw).digest('hex') };
  } catch (cause) {
    throw new InvalidInputError('author.key-unreadable', { cause });
  }
  throw new InvalidInputError('author.key-unreadable');
}
