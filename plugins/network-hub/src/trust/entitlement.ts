import type { Signer } from './signer.ts';

/** What a helpdesk holds on paper; it verifies it without asking anybody. */
export interface Entitlement {
  iss: string;
  instance: string;
  key: string;
  nonce: string;
  seq: number;
  hub_time: number;
  not_before: number;
  doc_until: number;
  licence_until: number | null;
  state: 'running' | 'ended' | 'revoked';
  offer: string;
  includes: string[];
  owner: string;
  features: string[];
  trials: Record<string, number>;
}

const CONTEXT = Buffer.from('latchkey-entitlement/1\0');

/** Signed over the exact bytes, under a name of its own, so that no other signature of this key ever passes for it. */
export function signedEntitlement(entitlement: Entitlement, signer: Signer): string {
  const payload = Buffer.from(JSON.stringify(entitlement));
  const signature = signer.sign(Buffer.concat([CONTEXT, payload]));
  const kid = signer.publicKey.slice(0, 16);
  return `lke1.${payload.toString('base64url')}.${signature.toString('base64url')}.${kid}`;
}
