import {
  InvalidInputError,
  json,
  route,
  z,
  type CookieChange,
  type Host,
  type NewPasskey,
  type Route,
} from 'latchkey/plugin-api';
import type { Handle, JoinHandles } from './join-handle.ts';

type Cookies = ReadonlyMap<string, string>;

const COOKIE = 'join-passkey';
const LIFE_MS = 30 * 60_000;
const LONGEST_COOKIE = 3500;
const optionsForm = z.object({
  h: z.string().max(40),
  email: z.email('invitation.not_an_address').max(320),
  name: z.string().trim().min(1, 'invitation.say_name').max(120),
});
const madeForm = z.object({ h: z.string().max(40), answer: z.string().min(1).max(20_000) });

interface Made {
  passkey: NewPasskey;
  handle: string;
  until: number;
}

/**
 * A passkey instead of a password on the join form. Verified the moment it is made, and then kept sealed in the browser that holds
 * the handle: a form that is refused for another reason does not ask the device again.
 */
export class JoinPasskeys {
  readonly #host: Host;
  readonly #handles: JoinHandles;

  constructor(host: Host, handles: JoinHandles) {
    this.#host = host;
    this.#handles = handles;
  }

  isPossible(): Promise<boolean> {
    return this.#host.passkeys.isPossible();
  }

  /** What this browser made for this handle, if it did. */
  made(cookies: Cookies, { name, secret }: Handle): NewPasskey | null {
    const [keyId = '', nonce = '', ciphertext = ''] = (cookies.get(COOKIE) ?? '').split('.');
    if (ciphertext === '') return null;
    try {
      const sealed = {
        keyId: Number(keyId),
        nonce: Buffer.from(nonce, 'base64url'),
        ciphertext: Buffer.from(ciphertext, 'base64url'),
      };
      const made = JSON.parse(this.#host.keys.open(sealed, contextOf(secret))) as Made;
      return made.handle === name && this.#host.clock.now() < made.until ? made.passkey : null;
    } catch {
      // Of another handle, or of another house: as if it were not there.
      return null;
    }
  }

  readonly forget: CookieChange = { name: COOKIE, value: null };

  routes(): Route[] {
    const { passkeys } = this.#host;
    const handleOf = (cookies: Cookies, name: string): Handle => {
      const handle = this.#handles.read(cookies, name);
      if (handle === null) throw new InvalidInputError('invitation.handle_gone');
      return handle;
    };

    return [
      route({
        method: 'post',
        path: '/join/step/passkey/options',
        access: 'public',
        body: optionsForm,
        onRefused: (_incoming, error) => json({ code: error.code }),
        handler: async ({ body: { h, ...person }, cookies }) => {
          const { options, cookie } = await passkeys.offer(person, { binding: handleOf(cookies, h).secret });
          return json(options, { cookies: [cookie] });
        },
      }),
      route({
        method: 'post',
        path: '/join/step/passkey',
        access: 'public',
        body: madeForm,
        onRefused: (_incoming, error) => json({ code: error.code }),
        handler: async ({ body: { h, answer }, cookies }) => {
          const handle = handleOf(cookies, h);
          const passkey = await passkeys.accept(answer, { cookies, binding: handle.secret });
          return json({ ready: true }, { cookies: [this.#cookie(handle, passkey)] });
        },
      }),
    ];
  }

  #cookie({ name, secret }: Handle, passkey: NewPasskey): CookieChange {
    const { keys, clock } = this.#host;
    const made: Made = { passkey, handle: name, until: clock.now() + LIFE_MS };
    const { keyId, nonce, ciphertext } = keys.seal(JSON.stringify(made), contextOf(secret));
    const value = [keyId, nonce.toString('base64url'), ciphertext.toString('base64url')].join('.');
    if (value.length > LONGEST_COOKIE) throw new InvalidInputError('passkey.refused');
    return { name: COOKIE, value, maxAge: LIFE_MS / 1000 };
  }
}

const contextOf = (secret: string): string => `invite-passkey|${secret}`;
