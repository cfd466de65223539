import { randomBytes } from 'node:crypto';
import type { CookieChange, Host } from 'latchkey/plugin-api';
import type { Opened } from '../keys/key-door.ts';

/**
 * What a browser holds instead of the key: the key leaves the address bar at once, and no log, history or neighbouring page sees it.
 * One cookie per handle, so that tabs never swap keys.
 */
export interface Handle {
  /** Names the cookie; stands in the address and in the form. Opens nothing by itself. */
  name: string;
  keyId: string;
  generation: number;
  mailingId: string | null;
  /** The copy of the key whose link was opened. */
  copyId?: string | null;
  /** Tells this browser from all others. */
  secret: string;
  at: number;
}

const COOKIE = 'join_';
const MOST_AT_ONCE = 6;
const MOST_OPENED = 1000;
const LIFE_S = 2 * 3600;
/** Once the form is sent in, the browser waits for mail or for an administrator. */
const WAITING_LIFE_S = 7 * 24 * 3600;

type Cookies = ReadonlyMap<string, string>;

export class JoinHandles {
  readonly #host: Host;
  /** What was opened lately: a page that is asked for again is not deciphered again. */
  readonly #opened = new Map<string, Handle>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The handle of this name, if this browser holds it. */
  read(cookies: Cookies, name: string | undefined): Handle | null {
    if (name === undefined || !/^[\w-]{4,24}$/.test(name)) return null;
    const value = cookies.get(COOKIE + name);
    return value === undefined ? null : this.#open(name, value);
  }

  all(cookies: Cookies): Handle[] {
    return [...cookies.entries()].flatMap(([cookie, value]) => {
      const handle = cookie.startsWith(COOKIE) ? this.#open(cookie.slice(COOKIE.length), value) : null;
      return handle ? [handle] : [];
    });
  }

  /** The same key in the same browser is the same handle. */
  take(
    cookies: Cookies,
    { key, mailing, copyId = null }: Opened,
  ): { handle: Handle; changes: CookieChange[] } {
    const held = this.all(cookies);
    const mailingId = mailing?.id ?? null;
    const same = held.find(
      (one) =>
        one.keyId === key.id &&
        one.generation === key.generation &&
        one.mailingId === mailingId &&
        (one.copyId ?? null) === copyId,
    );
    if (same) return { handle: same, changes: [] };
    const handle: Handle = {
      name: randomBytes(6).toString('base64url'),
      keyId: key.id,
      generation: key.generation,
      mailingId,
      ...(copyId === null ? {} : { copyId }),
      secret: randomBytes(18).toString('base64url'),
      at: this.#host.clock.now(),
    };
    const surplus = [...held]
      .sort((one, other) => one.at - other.at)
      .slice(0, Math.max(0, held.length - MOST_AT_ONCE + 1));
    return { handle, changes: [this.#cookie(handle, LIFE_S), ...surplus.map(forgotten)] };
  }

  keepWaiting = (handle: Handle): CookieChange => this.#cookie(handle, WAITING_LIFE_S);

  forget = (handle: Handle): CookieChange => forgotten(handle);

  #cookie({ name, ...held }: Handle, maxAge: number): CookieChange {
    const { keyId, nonce, ciphertext } = this.#host.keys.seal(JSON.stringify(held), contextOf(name));
    const value = [keyId, nonce.toString('base64url'), ciphertext.toString('base64url')].join('.');
    return { name: COOKIE + name, value, maxAge };
  }

  #open(name: string, value: string): Handle | null {
    const cookie = `${name}=${value}`;
    const handle = this.#opened.get(cookie) ?? this.#decipher(name, value);
    if (handle === null) return null;
    if (this.#opened.size >= MOST_OPENED) this.#opened.clear();
    this.#opened.set(cookie, handle);
    return handle;
  }

  #decipher(name: string, value: string): Handle | null {
    const [keyId = '', nonce = '', ciphertext = ''] = value.split('.');
    try {
      const sealed = {
        keyId: Number(keyId),
        nonce: Buffer.from(nonce, 'base64url'),
        ciphertext: Buffer.from(ciphertext, 'base64url'),
      };
      return { ...(JSON.parse(this.#host.keys.open(sealed, contextOf(name))) as Omit<Handle, 'name'>), name };
    } catch {
      // Altered, or of another house: as if it were not there.
      return null;
    }
  }
}

const forgotten = ({ name }: Handle): CookieChange => ({ name: COOKIE + name, value: null });
const contextOf = (name: string): string => `invite-handle|${name}`;
