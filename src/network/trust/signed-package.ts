import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import { withdrawalOf } from './house-rules.ts';
import { verifyList } from './package-signature.ts';
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

interface Version {
  id: string;
  version: string;
}

/** What the hub has named: the bytes are those, and what is in them is still to be held against its publisher's signature. */
export interface Named extends Version {
  /** Those that have it, as the hub has signed them. */
  offers: readonly string[];
  publisher: string;
  signature: string;
  /** The publisher's, named by the keepers of the hub. */
  keys: readonly string[];
}

/**
 * Whether the hub has signed these bytes as this version of this plugin, by naming their digest (ruling 38). Looks at nothing but them.
 *
 * @throws {InvalidInputError} `network.S01` other bytes, `network.S07` not named, `network.S08` withdrawn
 */
export function namedBy(
  { target, rules }: Pick<Claimed, 'target' | 'rules'>,
  { id, version, size, sha256 }: Version & { size: number; sha256: string },
): Named {
  const params = { plugin: id, version };
  const said = custom.safeParse(target?.custom);
  if (!target || !said.success || said.data.id !== id || said.data.version !== version)
    throw new InvalidInputError('network.S07', { params });
  const reason = withdrawalOf(rules, id, version);
  if (reason !== null) throw new InvalidInputError('network.S08', { params: { ...params, reason } });
  if (size !== target.length || sha256 !== target.sha256)
    throw new InvalidInputError('network.S01', { params });
  const { publisher, signature, offers } = said.data;
  const keys = Object.hasOwn(rules.publishers, publisher) ? (rules.publishers[publisher] ?? []) : [];
  return { id, version, offers, publisher, signature, keys };
}

/**
 * Whether its publisher has signed it, too: the list of its files, once what was unpacked is what that list says.
 *
 * @throws {InvalidInputError} `network.S02`
 */
export function assertSigned({ id, version, publisher, signature, keys }: Named, list: Buffer | null): void {
  const isSigned = keys.some((key) => {
    const signed = signedBy(key, { list, signature });
    return signed?.id === id && signed.version === version;
  });
  if (!isSigned) throw new InvalidInputError('network.S02', { params: { plugin: id, version, publisher } });
}

function signedBy(
  key: string,
  { list, signature }: { list: Buffer | null; signature: string },
): Version | null {
  try {
    return verifyList(list, { signature, publicKey: pemOf(key) });
  } catch {
    return null;
  }
}

const pemOf = (publicKey: string): string =>
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') },
    format: 'jwk',
  })
    .export({ type: 'spki', format: 'pem' })
    .toString();
