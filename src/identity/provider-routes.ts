import { z } from 'zod';
import { safePath } from '../http/exchange.ts';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import { UnauthenticatedError, type KnownError } from '../shared/errors.ts';
import type { AccountService } from './account-service.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import {
  LINK_PAGE,
  nothingArrived,
  TO_LINK,
  UNKNOWN_PAGE,
  type Departure,
  type ProviderSignInService,
} from './provider-sign-in-service.ts';
import type { ProviderTrips } from './provider-trips.ts';
import { confirmFirst } from './recent-sign-in.ts';
import type { SessionService } from './session-service.ts';

interface Deps {
  clock: Clock;
  accounts: AccountService;
  sessions: SessionService;
  providerSignIn: ProviderSignInService;
  providerTrips: ProviderTrips;
  identityLinks: IdentityLinkService;
}

const HOME = '/';
const SECURITY = '/account/security';
const refParams = z.object({ ref: z.string().min(1).max(120) });
const idParams = z.object({ id: z.string().min(1).max(40) });
const nextQuery = z.object({ next: z.string().max(2000).optional() });
const backQuery = z.object({ state: z.string().max(200).catch('') });

/** Out to a provider and back, and what it has named, kept with an account. A GET changes nothing but what the browser carries and who is signed in. */
export function providerRoutes(deps: Deps): Route[] {
  const { clock, accounts, providerSignIn, providerTrips, identityLinks } = deps;
  const askAgain = ({ session }: Pick<Incoming, 'session'>, next: string): Reply | null =>
    confirmFirst(session, { now: clock.now(), next });

  const depart = async (
    { params, cookies, locale, isHead }: Incoming<z.output<typeof refParams>>,
    asked: Pick<Departure, 'purpose' | 'binding' | 'next'>,
  ): Promise<Reply> => {
    if (isHead === true) return redirect(HOME);
    const { url, cookies: changes } = await providerSignIn.depart(params.ref, { ...asked, cookies, locale });
    return redirect(url, { cookies: changes });
  };

  /** What happened, and what can be done about it. */
  const problemPage = (
    { params, query, cookies }: Incoming<z.output<typeof refParams>>,
    error: KnownError,
  ): Reply => {
    const { state } = backQuery.parse(query);
    const trip = providerSignIn.wayBack(cookies, state);
    return view('identity/provider-problem', {
      code: error.code,
      params: { ...error.params, seconds: error.retryAfter ?? 0 },
      again: error.code === 'provider.gone' ? null : againPath(params.ref, trip),
      isSignedIn: trip?.purpose === 'link' || trip?.purpose === 'confirm',
    });
  };

  const linkPage = async ({ actor, cookies }: Incoming, error?: KnownError): Promise<Reply> => {
    const arrived = providerSignIn.arrived(cookies, TO_LINK);
    if (arrived === null) return redirect(SECURITY, startOver);
    const { title, identity } = arrived;
    const user = await accounts.own(actor);
    return view('account/identity-new', { title, email: identity.email, me: user.email, code: error?.code });
  };

  return [
    route({
      method: 'get',
      path: '/login/with/:ref',
      access: 'public',
      params: refParams,
      query: nextQuery,
      onRefused: problemPage,
      handler: async (incoming) => {
        const next = safePath(incoming.query.next, HOME);
        if (incoming.actor.kind === 'user') return redirect(next);
        return depart(incoming, { purpose: 'sign-in', binding: '', next });
      },
    }),
    route({
      method: 'get',
      path: '/login/with/:ref/back',
      access: 'public',
      params: refParams,
      query: backQuery,
      onRefused: problemPage,
      handler: async (incoming) => {
        const { params, query, ip, userAgent, isHead } = incoming;
        if (isHead === true) return redirect(HOME);
        const returned = { ...incoming, state: query.state, client: { ip, userAgent } };
        const { cookies, ...arrival } = await providerSignIn.arrive(params.ref, returned);
        const to = arrival.kind === 'step' ? '/login/code' : safePath(arrival.next, HOME);
        return redirect(to, { cookies });
      },
    }),
    route({
      method: 'get',
      path: UNKNOWN_PAGE,
      access: 'public',
      handler: async ({ cookies }) => {
        const arrived = providerSignIn.arrived(cookies, TO_LINK);
        if (arrived === null) return redirect('/login', startOver);
        const { title, identity } = arrived;
        const isLocalOn = await providerSignIn.isLocalOn();
        return view('identity/provider-unknown', {
          title,
          email: identity.email,
          isLocalOn,
          next: LINK_PAGE,
        });
      },
    }),
    route({
      method: 'get',
      path: '/confirm-identity/with/:ref',
      access: 'signed-in',
      params: refParams,
      query: nextQuery,
      onRefused: problemPage,
      handler: (incoming) =>
        depart(incoming, {
          purpose: 'confirm',
          binding: sessionOf(incoming),
          next: safePath(incoming.query.next, HOME),
        }),
    }),
    route({
      method: 'get',
      path: '/account/identities/with/:ref',
      access: 'signed-in',
      params: refParams,
      onRefused: problemPage,
      handler: (incoming) =>
        askAgain(incoming, SECURITY) ??
        depart(incoming, { purpose: 'link', binding: sessionOf(incoming), next: SECURITY }),
    }),
    route({
      method: 'get',
      path: LINK_PAGE,
      access: 'signed-in',
      handler: (incoming) => askAgain(incoming, LINK_PAGE) ?? linkPage(incoming),
    }),
    route({
      method: 'post',
      path: '/account/identities',
      access: 'signed-in',
      onRefused: linkPage,
      handler: async (incoming) => {
        const again = askAgain(incoming, LINK_PAGE);
        if (again) return again;
        const { actor, cookies } = incoming;
        const arrived = providerSignIn.arrived(cookies, TO_LINK);
        if (arrived === null) throw nothingArrived();
        const { identity, title } = arrived;
        await identityLinks.link(actor, await accounts.own(actor), identity, title);
        return redirect(SECURITY, {
          cookies: [providerTrips.forgetArrived(TO_LINK)],
          flash: { kind: 'success', code: 'providers:flash.linked', params: { provider: title } },
        });
      },
    }),
    route({
      method: 'post',
      path: '/account/identities/:id/remove',
      access: 'signed-in',
      params: idParams,
      onRefused: (_incoming, error) => {
        if (error.kind === 'not-found') throw error;
        return redirect(SECURITY, { flash: { kind: 'warning', code: `errors.${error.code}` } });
      },
      handler: async (incoming) => {
        const again = askAgain(incoming, SECURITY);
        if (again) return again;
        const { actor, params } = incoming;
        await identityLinks.unlink(actor, await accounts.own(actor), params.id);
        return redirect(SECURITY, { flash: { kind: 'success', code: 'providers:flash.unlinked' } });
      },
    }),
  ];
}

const startOver = { flash: { kind: 'warning' as const, code: 'errors.provider.start-again' } };

function sessionOf({ session }: Pick<Incoming, 'session'>): string {
  if (!session) throw new UnauthenticatedError('access.sign-in');
  return session.id;
}

/** Where the same way begins anew. */
function againPath(ref: string, trip: ReturnType<ProviderSignInService['wayBack']>): string {
  const next = new URLSearchParams({ next: trip?.next ?? HOME }).toString();
  switch (trip?.purpose) {
    case 'join':
      return trip.next;
    case 'link':
      return `/account/identities/with/${ref}`;
    case 'confirm':
      return `/confirm-identity/with/${ref}?${next}`;
    default:
      return `/login/with/${ref}?${next}`;
  }
}
