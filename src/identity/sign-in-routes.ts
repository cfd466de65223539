import { z } from 'zod';
import { safePath } from '../http/exchange.ts';
import { redirect, view, type CookieChange, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import { SESSION_COOKIE } from '../http/cookies.ts';
import { NotFoundError, type KnownError } from '../shared/errors.ts';
import type { Actor } from '../shared/actor.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import type { PasskeyService } from './passkey-service.ts';
import type { ProviderSignInService } from './provider-sign-in-service.ts';
import type { SignInProviders } from './sign-in-providers.ts';
import { ownWays, waysIn, type WaysIn } from './ways-in.ts';
import { refusalOf, typedIn } from './form.ts';
import { qrImage } from './qr.ts';
import type { SecondFactorService } from './second-factor-service.ts';
import type { SessionService } from './session-service.ts';
import { STEP_COOKIE, type SignInService } from './sign-in-service.ts';
import { findUser } from './user-repository.ts';
import type { Database } from '../db/database.ts';

interface Deps {
  db: Database;
  signIn: SignInService;
  sessions: SessionService;
  secondFactors: SecondFactorService;
  passkeys: PasskeyService;
  providers: SignInProviders;
  providerSignIn: ProviderSignInService;
  identityLinks: IdentityLinkService;
}

const HOME = '/';
const query = z.object({ next: z.string().max(2000).optional() });
const loginForm = z.object({
  email: z.string().min(1).max(320),
  password: z.string().min(1).max(4096),
  next: z.string().max(2000).optional(),
});
const codeForm = z.object({ code: z.string().min(1).max(40) });
const passwordForm = z.object({
  password: z.string().min(1).max(4096),
  next: z.string().max(2000).optional(),
});

/** The way in, the way out, and proving oneself again on the way to something dangerous. */
export function signInRoutes(deps: Deps): Route[] {
  const { db, signIn, sessions, secondFactors } = deps;
  const ways = (): Promise<WaysIn> => waysIn(deps);

  const signOut = async ({
    actor,
    session,
    body,
  }: Incoming<unknown, unknown, z.infer<typeof query>>): Promise<Reply> => {
    if (session) await sessions.signOut(actor, session);
    return redirect(safePath(body.next, '/login'), {
      cookies: [{ name: SESSION_COOKIE, value: null }],
      flash: { kind: 'success', code: 'identity:flash.signed-out' },
    });
  };

  async function codePage({ cookies }: Incoming, error?: KnownError): Promise<Reply> {
    const pending = await signIn.pending(cookies.get(STEP_COOKIE));
    if (!pending)
      return redirect('/login', { flash: { kind: 'warning', code: 'errors.sign-in.start-again' } });
    const refusal = refusalOf(error);
    if (pending.step.kind === 'code') return view('identity/sign-in-code', refusal);
    const { uri, secret } = await secondFactors.enrol(pending.user);
    return view('identity/sign-in-enrol', { ...refusal, secret, qr: await qrImage(uri) });
  }

  const confirmPage = async (
    { userId }: Actor,
    form: { next?: string | undefined },
    error?: KnownError,
  ): Promise<Reply> =>
    view('identity/confirm-identity', {
      form,
      ...(await ownWays(deps, userId ?? '')),
      ...refusalOf(error),
    });

  return [
    route({
      method: 'get',
      path: '/login',
      access: 'public',
      query,
      handler: async ({ actor, query: { next } }) =>
        actor.kind === 'user'
          ? redirect(safePath(next, HOME))
          : view('identity/sign-in', { form: { next }, ...(await ways()) }),
    }),
    route({
      method: 'post',
      path: '/login',
      access: 'public',
      body: loginForm,
      onRefused: async (incoming, error) =>
        view('identity/sign-in', {
          form: typedIn(incoming.body, ['email', 'next']),
          ...(await ways()),
          ...refusalOf(error),
        }),
      handler: async ({ body, ip, userAgent, session, actor }) => {
        const next = safePath(body.next, HOME);
        const done = await signIn.signIn(body, { ip, userAgent }, next);
        if (session) await sessions.signOut(actor, session);
        if (done.kind === 'step') return redirect('/login/code', { cookies: [done.cookie] });
        return redirect(next, { cookies: [done.cookie] });
      },
    }),
    route({
      method: 'get',
      path: '/login/code',
      access: 'public',
      handler: (incoming) => codePage(incoming),
    }),
    route({
      method: 'post',
      path: '/login/code',
      access: 'public',
      body: codeForm,
      onRefused: codePage,
      handler: async ({ body, cookies, ip, userAgent }) => {
        const { cookie, next } = await signIn.finish(cookies.get(STEP_COOKIE), body.code, { ip, userAgent });
        return redirect(safePath(next, HOME), { cookies: [cookie, forgotten(STEP_COOKIE)] });
      },
    }),
    route({ method: 'post', path: '/logout', access: 'signed-in', body: query, handler: signOut }),
    route({ method: 'post', path: '/sign-out', access: 'signed-in', body: query, handler: signOut }),
    route({
      method: 'get',
      path: '/confirm-identity',
      access: 'signed-in',
      query,
      handler: ({ actor, query: { next } }) => confirmPage(actor, { next }),
    }),
    route({
      method: 'post',
      path: '/confirm-identity',
      access: 'signed-in',
      body: passwordForm,
      onRefused: ({ actor, body }, error) => confirmPage(actor, typedIn(body, ['next']), error),
      handler: async ({ actor, session, body, ip, userAgent }) => {
        const user = await findUser(db, actor.userId ?? '');
        if (!user || !session) throw new NotFoundError('user.not-found');
        await signIn.assertPassword(user, body.password, { ip, userAgent });
        const { cookie } = await sessions.confirm(actor, session);
        return redirect(safePath(body.next, HOME), { cookies: [cookie] });
      },
    }),
  ];
}

const forgotten = (name: string): CookieChange => ({ name, value: null });
