import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import { withdrawalOf } from './house-rules.ts';
import { sha256Of, verifyPackage } from './package-signature.ts';
import type { Claimed } from './trust-service.ts';

/** What the catalogue keeps beside the digest of a package. */
const custom = z.object({
  id: z.string(),
  version: z.string(),
  publisher: z.string(),
  /** The text that `latchkey plugin sign` wrote. */
  signature: z.string().max(2_000),
  /** Offers that have it; none for what is free. */
  offers: z.array(z.string().max(120)).max(100).default([]),
});

/**
 * Whether both have signed these bytes as this version of this plugin: the hub, by naming their digest, and the publisher, by a key
 * that the keepers of the hub have named (ruling 38). Gives the offers that have it, as the hub has signed them.
 *
 * @throws {InvalidInputError} `network.S01` other bytes, `network.S02` not signed by its publisher, `network.S07` not named,
 * `network.S08` withdrawn
 */
export async function verifySigned(
  { target, rules }: Pick<Claimed, 'target' | 'rules'>,
  { id, version, packed }: { id: string; version: string; packed: Uint8Array },
): Promise<readonly string[]> {
  const params = { plugin: id, version };
  const said = custom.safeParse(target?.custom);
  if (!target || !said.success || said.data.id !== id || said.data.version !== version)
    throw new InvalidInputError('network.S07', { params });
  const reason = withdrawalOf(rules, id, version);
  if (reason !== null) throw new InvalidInputError('network.S08', { params: { ...params, reason } });
  if (packed.length !== target.length || sha256Of(packed) !== target.sha256)
    throw new InvalidInputError('network.S01', { params });
  const { publisher, signature } = said.data;
  const keys = Object.hasOwn(rules.publishers, publisher) ? (rules.publishers[publisher] ?? []) : [];
  for (const key of keys) {
    const signed = await verifyPackage(packed, { signature, publicKey: pemOf(key) }).catch(() => null);
    if (signed?.id === id && signed.version === version) return said.data.offers;
  }
  throw new InvalidInputError('network.S02', { params: { ...params, publisher } });
}

const pemOf = (publicKey: string): string =>
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') },
    format: 'jwk',
  })
    .export({ type: 'spki', format: 'pem' })
    .toString();
