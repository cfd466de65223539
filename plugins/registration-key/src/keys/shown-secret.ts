import type { CookieChange, Host } from 'latchkey/plugin-api';

/** How long the page with the link can be looked at again. */
const LIFE_S = 600;
const COOKIE = 'shown_';

/**
 * The link between the form that made or revealed it and the page that shows it: sealed, in the browser of whoever did it, for ten
 * minutes. So the page can be reloaded and printed, a form is never sent twice, and a link that is shown once stays so.
 */
export class ShownSecret {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  keep(keyId: string, text: string, actorId: string | null): CookieChange {
    const until = this.#host.clock.now() + LIFE_S * 1000;
    const sealed = this.#host.keys.seal(JSON.stringify({ text, until }), contextOf(keyId, actorId));
    const value = [
      sealed.keyId,
      sealed.nonce.toString('base64url'),
      sealed.ciphertext.toString('base64url'),
    ].join('.');
    return { name: COOKIE + keyId, value, maxAge: LIFE_S };
  }

  read(cookies: ReadonlyMap<string, string>, keyId: string, actorId: string | null): string | null {
    const [sealedBy, nonce, ciphertext] = cookies.get(COOKIE + keyId)?.split('.') ?? [];
    if (sealedBy === undefined || nonce === undefined || ciphertext === undefined) return null;
    try {
      const sealed = {
        keyId: Number(sealedBy),
        nonce: Buffer.from(nonce, 'base64url'),
        ciphertext: Buffer.from(ciphertext, 'base64url'),
      };
      const kept = JSON.parse(this.#host.keys.open(sealed, contextOf(keyId, actorId))) as {
        text: string;
        until: number;
      };
      return this.#host.clock.now() < kept.until ? kept.text : null;
    } catch {
      // Altered, or of somebody else who used this browser before.
      return null;
    }
  }
}

const contextOf = (keyId: string, actorId: string | null): string => `invite-shown|${keyId}|${actorId ?? ''}`;
