import {
  NotFoundError,
  redirect,
  route,
  z,
  type CookieChange,
  type Host,
  type Incoming,
  type NewIdentity,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { Handle } from './join-handle.ts';
import type { Arrived } from './join-presenter.ts';

type Cookies = Incoming['cookies'];

interface Deps {
  host: Host;
  /** The handle of this name, and that its key lets somebody in; else the page that says why not. */
  open: (incoming: Incoming, name: string) => Promise<{ handle: Handle } | { instead: Reply }>;
}

const params = z.object({ provider: z.string().max(120) });
const query = z.object({ h: z.string().max(40).catch('') });

/**
 * A provider instead of a password on the join form: out and back, and then the same form with what the provider has said already
 * in it. Nothing is taken before the form is sent.
 */
export class JoinProviders {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Whom a provider has named to this browser, for this handle. */
  arrived(cookies: Cookies, { secret }: Handle): Arrived | null {
    return this.#deps.host.providers.arrived(cookies, secret);
  }

  /** What the form says it comes with, and the browser really holds. */
  identity(cookies: Cookies, handle: Handle): NewIdentity {
    const arrived = this.arrived(cookies, handle);
    if (arrived === null) throw new NotFoundError('invitation.provider_gone');
    return arrived.identity;
  }

  forget({ secret }: Handle): CookieChange {
    return this.#deps.host.providers.forget(secret);
  }

  routes(): Route[] {
    const { host, open } = this.#deps;
    return [
      route({
        method: 'get',
        path: '/join/step/with/:provider',
        access: 'public',
        params,
        query,
        onRefused: (incoming, error) => {
          const { h } = query.parse(incoming.query);
          const flash = { code: `errors.${error.code}`, params: { ...error.params } };
          return redirect(`/join?h=${h}`, { flash: { kind: 'warning', ...flash } });
        },
        handler: async (incoming) => {
          const { cookies, locale } = incoming;
          const opened = await open(incoming, incoming.query.h);
          if ('instead' in opened) return opened.instead;
          const { name, secret } = opened.handle;
          const next = `/join?h=${name}`;
          if (incoming.isHead === true) return redirect(next);
          const departure = { cookies, locale, binding: secret, next };
          const { url, cookies: changes } = await host.providers.depart(incoming.params.provider, departure);
          return redirect(url, { cookies: changes });
        },
      }),
      route({
        method: 'get',
        path: '/join/step/without-provider',
        access: 'public',
        query,
        handler: async (incoming) => {
          const opened = await open(incoming, incoming.query.h);
          if ('instead' in opened) return opened.instead;
          return redirect(`/join?h=${opened.handle.name}`, { cookies: [this.forget(opened.handle)] });
        },
      }),
    ];
  }
}
