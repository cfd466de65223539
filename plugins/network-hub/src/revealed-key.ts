import type { CookieChange, Host, Incoming, Sealed } from 'latchkey/plugin-api';

const NAME = 'hub_key';
const SHOWN_S = 600;

/** A new key on its way to the one page that shows it: sealed, in the browser of whoever made it, and nowhere else. */
export class RevealedKey {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  keep(actorId: string | null, secret: string): CookieChange {
    return { name: NAME, value: this.seal(actorId, secret), maxAge: SHOWN_S };
  }

  take({ cookies, actor }: Incoming): string | null {
    return this.open(actor.userId, cookies.get(NAME) ?? '');
  }

  readonly forget: CookieChange = { name: NAME, value: null };

  seal(actorId: string | null, secret: string): string {
    const until = this.#host.clock.now() + SHOWN_S * 1000;
    const { keyId, nonce, ciphertext } = this.#host.keys.seal(
      JSON.stringify({ secret, until }),
      contextOf(actorId),
    );
    return [keyId, nonce.toString('base64url'), ciphertext.toString('base64url')].join('.');
  }

  open(actorId: string | null, packed: string): string | null {
    const [keyId = '', nonce = '', ciphertext = ''] = packed.split('.');
    const sealed: Sealed = {
      keyId: Number(keyId),
      nonce: Buffer.from(nonce, 'base64url'),
      ciphertext: Buffer.from(ciphertext, 'base64url'),
    };
    try {
      const kept = JSON.parse(this.#host.keys.open(sealed, contextOf(actorId))) as {
        secret: string;
        until: number;
      };
      return this.#host.clock.now() < kept.until ? kept.secret : null;
    } catch {
      return null;
    }
  }
}

const contextOf = (actorId: string | null): string => `hub-key-shown|${actorId ?? ''}`;
