import { z } from 'zod';
import { safePath } from '../http/exchange.ts';
import { json, redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import { UnauthenticatedError, type KnownError } from '../shared/errors.ts';
import type { AccountService } from './account-service.ts';
import { deviceOf } from './device.ts';
import { refusalOf, typedIn } from './form.ts';
import type { Database } from '../db/database.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import type { PasskeyService } from './passkey-service.ts';
import type { ProviderSignInService } from './provider-sign-in-service.ts';
import { confirmFirst } from './recent-sign-in.ts';
import type { SessionService } from './session-service.ts';
import type { SignInProviders } from './sign-in-providers.ts';
import { ownWays, waysIn } from './ways-in.ts';

interface Deps {
  clock: Clock;
  accounts: AccountService;
  db: Database;
  passkeys: PasskeyService;
  sessions: SessionService;
  providers: SignInProviders;
  providerSignIn: ProviderSignInService;
  identityLinks: IdentityLinkService;
}

const HOME = '/';
const SECURITY = '/account/security';
const PASSKEYS = '/account/passkeys';
const NEW = '/account/passkeys/new';
const answer = z.string().min(1).max(20_000);
const addForm = z.object({ name: z.string().max(200), answer });
const renameForm = z.object({ name: z.string().max(200) });
const proofForm = z.object({ answer, next: z.string().max(2000).optional() });
const idParams = z.object({ id: z.string().min(1).max(40) });

/** Making, naming and removing passkeys, and coming in with one. What the script asks for is data; all that changes something is a form. */
export function passkeyRoutes(deps: Deps): Route[] {
  const { clock, accounts, passkeys, sessions } = deps;
  const askAgain = ({ session }: Pick<Incoming, 'session'>, next: string): Reply | null =>
    confirmFirst(session, { now: clock.now(), next });
  const said = (code: string): Reply =>
    redirect(SECURITY, { flash: { kind: 'success', code: `passkeys:flash.${code}` } });
  const backWith = (_incoming: unknown, error: KnownError): Reply => {
    if (error.kind === 'not-found') throw error;
    return redirect(SECURITY, { flash: { kind: 'warning', code: `errors.${error.code}` } });
  };

  const newPage = async ({ userAgent, body }: Incoming, error?: KnownError): Promise<Reply> => {
    const name = typedIn(body, ['name'])['name'] ?? deviceOf(userAgent);
    return view('account/passkey-new', {
      name,
      isPossible: await passkeys.isPossible(),
      ...refusalOf(error),
    });
  };

  return [
    route({
      method: 'get',
      path: NEW,
      access: 'signed-in',
      handler: (incoming) => askAgain(incoming, NEW) ?? newPage(incoming),
    }),
    route({
      method: 'post',
      path: `${PASSKEYS}/options`,
      access: 'signed-in',
      handler: async ({ actor, session }) => {
        const user = await accounts.own(actor);
        if (!session || askAgain({ session }, NEW)) throw new UnauthenticatedError('passkey.confirm-first');
        const { options, cookie } = await passkeys.askForAnother(user, session);
        return json(options, { cookies: [cookie] });
      },
    }),
    route({
      method: 'post',
      path: PASSKEYS,
      access: 'signed-in',
      body: addForm,
      onRefused: newPage,
      handler: async ({ actor, session, body, cookies }) => {
        const again = askAgain({ session }, NEW);
        if (again) return again;
        if (!session) throw new UnauthenticatedError('access.sign-in');
        await passkeys.add(actor, await accounts.own(actor), { ...body, session, cookies });
        return said('added');
      },
    }),
    route({
      method: 'post',
      path: `${PASSKEYS}/:id/name`,
      access: 'signed-in',
      params: idParams,
      body: renameForm,
      onRefused: backWith,
      handler: async ({ actor, params, body }) => {
        await passkeys.rename(actor, await accounts.own(actor), params.id, body.name);
        return said('renamed');
      },
    }),
    route({
      method: 'post',
      path: `${PASSKEYS}/:id/remove`,
      access: 'signed-in',
      params: idParams,
      onRefused: backWith,
      handler: async (incoming) => {
        const again = askAgain(incoming, SECURITY);
        if (again) return again;
        await passkeys.remove(incoming.actor, await accounts.own(incoming.actor), incoming.params.id);
        return said('removed');
      },
    }),

    route({
      method: 'post',
      path: '/login/passkey/options',
      access: 'public',
      handler: async () => {
        const { options, cookie } = await passkeys.askForSignIn();
        return json(options, { cookies: [cookie] });
      },
    }),
    route({
      method: 'post',
      path: '/login/passkey',
      access: 'public',
      body: proofForm,
      onRefused: async ({ body }, error) =>
        view('identity/sign-in', {
          form: typedIn(body, ['next']),
          ...(await waysIn(deps)),
          ...refusalOf(error),
        }),
      handler: async ({ body, cookies, ip, userAgent, session, actor }) => {
        const { cookie, forget } = await passkeys.signIn(body.answer, cookies, { ip, userAgent });
        if (session) await sessions.signOut(actor, session);
        return redirect(safePath(body.next, HOME), { cookies: [cookie, forget] });
      },
    }),
    route({
      method: 'post',
      path: '/confirm-identity/passkey/options',
      access: 'signed-in',
      handler: async ({ actor, session }) => {
        if (!session) throw new UnauthenticatedError('access.sign-in');
        const { options, cookie } = await passkeys.askForConfirmation(await accounts.own(actor), session);
        return json(options, { cookies: [cookie] });
      },
    }),
    route({
      method: 'post',
      path: '/confirm-identity/passkey',
      access: 'signed-in',
      body: proofForm,
      onRefused: async ({ actor, body }, error) =>
        view('identity/confirm-identity', {
          form: typedIn(body, ['next']),
          ...(await ownWays(deps, actor.userId ?? '')),
          ...refusalOf(error),
        }),
      handler: async ({ actor, session, body, cookies, ip, userAgent }) => {
        if (!session) throw new UnauthenticatedError('access.sign-in');
        const client = { ip, userAgent };
        const { cookie } = await passkeys.confirm(actor, session, body.answer, { cookies, client });
        return redirect(safePath(body.next, HOME), { cookies: [cookie] });
      },
    }),
  ];
}
