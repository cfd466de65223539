import { randomInt } from 'node:crypto';
import { mintToken, checkToken, sameBytes, type Host } from 'latchkey/plugin-api';
import type { NewcomerDraft } from './redemption.ts';
import type { Sealed } from 'latchkey/plugin-api';
import type { Proofs } from './attempt-repository.ts';

const PURPOSE = { address: 'invite-address|1', link: 'invite-link|1', browser: 'invite-browser|1' };
const codePurpose = (attemptId: string): string => `invite-code|1|${attemptId}`;
export const draftContext = (attemptId: string): string => `invite-draft|${attemptId}`;

export interface NewProofs {
  code: string;
  linkToken: string;
  stored: Proofs;
}

/** What proves an address or a browser, and what is kept of it: keyed digests, and drafts under seal. */
export class ProofBox {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  address(emailNorm: string): Buffer {
    return this.#host.keys.mac(PURPOSE.address, emailNorm).digest;
  }

  /** Under every key of the ring, for looking up. */
  addresses(emailNorm: string): Buffer[] {
    return this.#all(PURPOSE.address, emailNorm);
  }

  isAddress(digest: Buffer, emailNorm: string): boolean {
    return this.addresses(emailNorm).some((one) => sameBytes(one, digest));
  }

  browser(secret: string): Buffer {
    return this.#host.keys.mac(PURPOSE.browser, secret).digest;
  }

  browsers(secret: string): Buffer[] {
    return this.#all(PURPOSE.browser, secret);
  }

  isBrowser(digest: Buffer | null, secret: string | null): boolean {
    return digest !== null && secret !== null && this.browsers(secret).some((one) => sameBytes(one, digest));
  }

  /** A link for any browser, and six digits for the one that signed up. */
  make(attemptId: string): NewProofs {
    const code = String(randomInt(0, 1_000_000)).padStart(6, '0');
    const linkToken = mintToken('lkcfm_');
    const linkLookup = this.#host.keys.mac(PURPOSE.link, linkToken).digest;
    const codeDigest = this.#host.keys.mac(codePurpose(attemptId), code).digest;
    return { code, linkToken, stored: { linkLookup, codeDigest } };
  }

  isCode(attemptId: string, digest: Buffer | null, typed: string): boolean {
    const code = typed.normalize('NFKC').replace(/[\s.-]/g, '');
    if (digest === null || !/^\d{6}$/.test(code)) return false;
    return this.#all(codePurpose(attemptId), code).some((one) => sameBytes(one, digest));
  }

  /** Null for what was never a link of ours: judged without asking the database. */
  links(token: string): Buffer[] | null {
    const verdict = checkToken(token, 'lkcfm_');
    return verdict.ok ? this.#all(PURPOSE.link, verdict.normal) : null;
  }

  seal(attemptId: string, draft: NewcomerDraft): Sealed {
    return this.#host.keys.seal(JSON.stringify(draft), draftContext(attemptId));
  }

  open(attemptId: string, sealed: Sealed): NewcomerDraft {
    return JSON.parse(this.#host.keys.open(sealed, draftContext(attemptId))) as NewcomerDraft;
  }

  #all(purpose: string, text: string): Buffer[] {
    return this.#host.keys.macs(purpose, text).map(({ digest }) => digest);
  }
}
