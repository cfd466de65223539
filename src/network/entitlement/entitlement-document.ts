import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';

const FORM = /^lke1\.([A-Za-z0-9_-]{1,10000})\.([A-Za-z0-9_-]{86})\.([0-9a-f]{16})$/;
const MOST_BYTES = 8 * 1024;
const CONTEXT = Buffer.from('latchkey-entitlement/1\0');

const instant = z.int().min(0).max(8.64e15);
const short = z.string().max(200);
const entitlement = z.strictObject({
  /** The fingerprint of the hub that signed. */
  iss: z.string().length(64),
  instance: short,
  /** Digest of the key it was asked with. */
  key: z.string().length(64),
  /** What the installation made up when it asked; only that proves the answer new. Empty in answers to a file. */
  nonce: short,
  seq: instant,
  hub_time: instant,
  not_before: instant,
  /** When this paper has to be renewed, whatever the subscription. */
  doc_until: instant,
  /** Until when the subscription runs; null while it has no end. */
  licence_until: instant.nullable(),
  state: z.enum(['running', 'ended', 'revoked']),
  offer: short,
  /** Lower offers, which it has all of. */
  includes: z.array(short).max(100).default([]),
  owner: short,
  features: z.array(short).max(100),
  /** Plugins on trial, and until when. */
  trials: z.record(short, instant),
});
export type Entitlement = z.output<typeof entitlement>;

/** Why a document counts for nothing: each is another thing to do (T2.2, 7). */
export type EntitlementProblem =
  'form' | 'signer' | 'signature' | 'hub' | 'instance' | 'key' | 'answer' | 'older';

export interface Expected {
  /** Public keys that may sign, as the keepers of the hub have named them. */
  signers: readonly string[];
  hub: string;
  instance: string;
  key: string;
  /** Null when no answer is waited for: a document that was stored, or came as a file. */
  nonce: string | null;
  /** The highest number seen. */
  seq: number;
}

/** Signature before content: nothing is parsed that was not signed (T2.3). Time is judged by `entitledNow`. */
export function readEntitlement(
  text: string,
  expected: Expected,
): { entitlement: Entitlement } | { problem: EntitlementProblem } {
  const [, payload = '', signature = '', kid = ''] = (text.length <= MOST_BYTES && FORM.exec(text)) || [];
  if (payload === '') return { problem: 'form' };
  const signer = expected.signers.find((key) => key.startsWith(kid));
  if (signer === undefined) return { problem: 'signer' };
  const bytes = Buffer.from(payload, 'base64url');
  const isCanonical =
    bytes.toString('base64url') === payload &&
    Buffer.from(signature, 'base64url').toString('base64url') === signature;
  if (!isCanonical) return { problem: 'form' };
  const holds = verify(
    null,
    Buffer.concat([CONTEXT, bytes]),
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(signer, 'hex').toString('base64url') },
      format: 'jwk',
    }),
    Buffer.from(signature, 'base64url'),
  );
  if (!holds) return { problem: 'signature' };
  const read = entitlement.safeParse(jsonOf(bytes));
  if (!read.success) return { problem: 'form' };
  const { data: said } = read;
  if (said.iss !== expected.hub) return { problem: 'hub' };
  if (said.instance !== expected.instance) return { problem: 'instance' };
  if (said.key !== expected.key) return { problem: 'key' };
  if (expected.nonce !== null && said.nonce !== expected.nonce) return { problem: 'answer' };
  if (said.seq < expected.seq) return { problem: 'older' };
  return { entitlement: said };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
