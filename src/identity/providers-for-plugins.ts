import type { CookieChange } from '../http/reply.ts';
import { safePath } from '../http/exchange.ts';
import type { ProviderSignInService } from './provider-sign-in-service.ts';
import type { ArrivedIdentity, Cookies, ProviderTrips } from './provider-trips.ts';
import type { ProviderWay, SignInProviders } from './sign-in-providers.ts';

interface Deps {
  providers: SignInProviders;
  providerSignIn: ProviderSignInService;
  trips: ProviderTrips;
}

/** Providers as plugins may use them, for people who are about to get an account. */
export class ProvidersForPlugins {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  ways(): Promise<ProviderWay[]> {
    return this.#deps.providers.ways();
  }

  isLocalOn(): Promise<boolean> {
    return this.#deps.providerSignIn.isLocalOn();
  }

  depart(
    ref: string,
    { next, ...departure }: { cookies: Cookies; binding: string; next: string; locale: string },
  ): Promise<{ url: string; cookies: CookieChange[] }> {
    return this.#deps.providerSignIn.depart(ref, { ...departure, purpose: 'join', next: safePath(next) });
  }

  arrived(cookies: Cookies, binding: string): ArrivedIdentity | null {
    return this.#deps.trips.arrived(cookies, binding);
  }

  forget(binding: string): CookieChange {
    return this.#deps.trips.forgetArrived(binding);
  }
}
