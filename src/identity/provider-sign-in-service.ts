import type { Database } from '../db/database.ts';
import { limitKeyOf } from '../http/client-address.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import type { CookieChange } from '../http/reply.ts';
import type { SessionInfo } from '../http/route.ts';
import type { SettingsService } from '../settings/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, InvalidInputError, UnauthenticatedError } from '../shared/errors.ts';
import type { ProviderClaims } from './auth-provider.ts';
import { normaliseEmail } from './email.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import { localSignIn } from './identity-settings.ts';
import { insertAnswered } from './passkey-repository.ts';
import type { ArrivedIdentity, Cookies, ProviderTrips, Trip } from './provider-trips.ts';
import type { ClientFacts, SessionService } from './session-service.ts';
import type { OfferedProvider, SignInProviders } from './sign-in-providers.ts';
import type { SignedIn, SignInService } from './sign-in-service.ts';
import { isOpen, type User } from './user.ts';
import { findUser, findUserByEmail } from './user-repository.ts';
import { identityOf, type NewIdentity } from './user-identity.ts';
import { findIdentity, noteUse } from './user-identity-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  limits: RateLimits;
  settings: Pick<SettingsService, 'get'>;
  site: () => Promise<{ origin: string }>;
  sessions: SessionService;
  signIn: SignInService;
  providers: SignInProviders;
  trips: ProviderTrips;
  links: IdentityLinkService;
}

export interface Departure {
  purpose: Trip['purpose'];
  binding: string;
  /** A path of ours. */
  next: string;
  locale: string;
  cookies: Cookies;
}

export interface Returned {
  cookies: Cookies;
  /** Path and query as the provider sent the browser to it. */
  url: string;
  state: string;
  locale: string;
  actor: Actor;
  session: SessionInfo | null;
  client: ClientFacts;
}

/** Signed in, one step short of it, or named by the provider and known to no account; `next` is the page for it. */
export interface Arrival {
  kind: 'session' | 'step' | 'arrived';
  next: string;
  cookies: CookieChange[];
}

/** Only what goes wrong counts, so that a whole office behind one address signs in. */
const FAILED_RETURNS = { name: 'provider-failed', points: 30, perSeconds: 600 };

export const LINK_PAGE = '/account/identities/new';
export const UNKNOWN_PAGE = '/login/unknown';
const whatNow = { 'sign-in': UNKNOWN_PAGE, link: LINK_PAGE };

/** What somebody who came to link an account, or is still unknown, carries in the browser. */
export const TO_LINK = 'link';

/**
 * From a provider to a session. An identity is an issuer and a subject, never an address; an address that the provider has verified
 * finds an account only where an administrator has said that it is this provider's to give.
 */
export class ProviderSignInService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Where to send the browser, and what it must carry. */
  async depart(ref: string, departure: Departure): Promise<{ url: string; cookies: CookieChange[] }> {
    const { providers, trips } = this.#deps;
    const { purpose, binding, locale, cookies } = departure;
    const next = departure.next.slice(0, 500);
    const offered = await providers.find(ref);
    const state = trips.newState();
    const again = purpose === 'confirm';
    const before = trips.arrived(cookies, purpose === 'join' ? binding : TO_LINK);
    const choose = purpose === 'link' || (purpose !== 'confirm' && before !== null);
    const asked = { redirectUri: await this.redirectUri(ref), state, locale, again, choose };
    const { url, memory } = await providers.start(offered, asked);
    const trip = { provider: ref, purpose, binding, next, again, memory };
    return { url, cookies: trips.begin(cookies, state, trip) };
  }

  /** One for each provider: what one provider answers is never read as another's. */
  async redirectUri(ref: string): Promise<string> {
    const { origin } = await this.#deps.site();
    return `${origin}/login/with/${ref}/back`;
  }

  /** Each state is answered once, in the browser that set out with it, under the address of the provider it was for. */
  async arrive(ref: string, returned: Returned): Promise<Arrival> {
    const { limits, trips } = this.#deps;
    const network = limitKeyOf(returned.client.ip);
    await limits.check(FAILED_RETURNS, network);
    try {
      const trip = trips.read(returned.cookies, returned.state);
      if (trip?.provider !== ref || !this.#isStillThere(trip, returned)) throw startAgain();
      const arrival = await this.#welcome(ref, trip, returned);
      return { ...arrival, cookies: [...arrival.cookies, ...trips.forget(returned.state)] };
    } catch (error) {
      await limits.count(FAILED_RETURNS, network);
      throw error;
    }
  }

  /** Whether it is worth trying again, and from where, after something went wrong. */
  wayBack(cookies: Cookies, state: string): Pick<Trip, 'purpose' | 'next'> | null {
    return this.#deps.trips.read(cookies, state);
  }

  isLocalOn(): Promise<boolean> {
    return this.#deps.settings.get(localSignIn);
  }

  arrived(cookies: Cookies, binding: string): ArrivedIdentity | null {
    return this.#deps.trips.arrived(cookies, binding);
  }

  async #welcome(ref: string, trip: Trip, returned: Returned): Promise<Arrival> {
    const { providers, trips } = this.#deps;
    const offered = await providers.find(ref);
    await this.#spend(returned.state);
    const { origin } = await this.#deps.site();
    const { state, locale } = returned;
    const { again, memory } = trip;
    const asked = { redirectUri: await this.redirectUri(ref), state, locale, again };
    const back = { ...asked, url: `${origin}${returned.url}`, memory };
    const claims = await providers.finish(offered, back);
    const identity = identityOf(ref, claims);
    if (trip.purpose === 'confirm') return this.#confirm(trip, returned, identity);
    const user = trip.purpose === 'link' ? null : await this.#ownerOf(offered, identity, returned.client);
    if (user) return this.#signIn(user, offered, { trip, returned });
    const arrived = { identity, title: offered.title, name: nameOf(claims) };
    const [binding, next] =
      trip.purpose === 'join' ? [trip.binding, trip.next] : [TO_LINK, whatNow[trip.purpose]];
    return { kind: 'arrived', next, cookies: [trips.keepArrived(binding, arrived)] };
  }

  async #signIn(
    user: User,
    { provider }: OfferedProvider,
    { trip, returned }: { trip: Trip; returned: Returned },
  ): Promise<Arrival> {
    const { signIn, sessions } = this.#deps;
    const proof = provider.isTwoFactor ? 'provider-strong' : 'provider';
    const done: SignedIn = await signIn.goOn(user, proof, { client: returned.client, next: trip.next });
    if (returned.session) await sessions.signOut(returned.actor, returned.session);
    return { kind: done.kind, next: trip.next, cookies: [done.cookie] };
  }

  /** Somebody who is signed in shows again who they are. */
  async #confirm(trip: Trip, { actor, session }: Returned, identity: NewIdentity): Promise<Arrival> {
    const { db, sessions } = this.#deps;
    const known = await findIdentity(db, identity);
    if (session === null || known?.userId !== actor.userId) throw new ForbiddenError('provider.other-person');
    const { cookie } = await sessions.confirm(actor, session);
    return { kind: 'session', next: trip.next, cookies: [cookie] };
  }

  /** Whose identity it is: by the link, or by an address that is this provider's to give. */
  async #ownerOf(offered: OfferedProvider, identity: NewIdentity, client: ClientFacts): Promise<User | null> {
    const { db, clock, links } = this.#deps;
    const known = await findIdentity(db, identity);
    if (known) {
      const user = await findUser(db, known.userId);
      if (!user || !isOpen(user, clock.now())) throw closed();
      await db.transaction((tx) => noteUse(tx, known.id, identity, clock.now()));
      return user;
    }
    const user = await this.#trusted(offered, identity);
    if (!user) return null;
    if (!isOpen(user, clock.now())) throw closed();
    try {
      await links.linkTrusted(user, identity, { title: offered.title, client });
    } catch (error) {
      // Two tabs at once: the other one has just linked it.
      if ((await findIdentity(db, identity))?.userId !== user.id) throw error;
    }
    return user;
  }

  async #trusted({ provider }: OfferedProvider, { email, emailVerified }: NewIdentity): Promise<User | null> {
    const emailNorm = email === null || !emailVerified ? null : normaliseEmail(email);
    if (emailNorm === null) return null;
    const domain = emailNorm.slice(emailNorm.lastIndexOf('@') + 1);
    if (!provider.trustedDomains.some((one) => one.toLowerCase() === domain)) return null;
    return findUserByEmail(this.#deps.db, emailNorm);
  }

  /** Before anything is asked of the provider: of a hundred returns with one state, one goes on. */
  async #spend(state: string): Promise<void> {
    const { db, trips } = this.#deps;
    try {
      await db.transaction((tx) => insertAnswered(tx, `provider|${state}`, trips.spentUntil));
    } catch (error) {
      throw db.dialect.isDuplicate(error) ? startAgain(error) : error;
    }
  }

  /** Links and confirmations are for the session that asked for them. */
  #isStillThere({ purpose, binding }: Trip, { session }: Returned): boolean {
    return purpose === 'sign-in' || purpose === 'join' || session?.id === binding;
  }
}

const nameOf = ({ name }: ProviderClaims): string | null => name?.trim().slice(0, 120) ?? null;
const closed = (): ForbiddenError => new ForbiddenError('provider.account-closed');
const startAgain = (cause?: unknown): InvalidInputError =>
  new InvalidInputError('provider.start-again', cause === undefined ? {} : { cause });

/** Nothing arrived, or too long ago. */
export const nothingArrived = (): UnauthenticatedError => new UnauthenticatedError('provider.start-again');
