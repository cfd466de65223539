import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import { NotFoundError, type KnownError } from '../shared/errors.ts';
import type { AccountService } from './account-service.ts';
import { accountTabs } from './account-tabs.ts';
import { deviceOf } from './device.ts';
import { refusalOf } from './form.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import type { PasskeyService } from './passkey-service.ts';
import { qrImage } from './qr.ts';
import { confirmFirst } from './recent-sign-in.ts';
import type { SecondFactorService } from './second-factor-service.ts';
import type { SessionService } from './session-service.ts';
import type { SignInProviders } from './sign-in-providers.ts';

interface Deps {
  clock: Clock;
  accounts: AccountService;
  secondFactors: SecondFactorService;
  passkeys: PasskeyService;
  sessions: SessionService;
  providers: SignInProviders;
  identityLinks: IdentityLinkService;
}

const SECURITY = '/account/security';
const SESSIONS = '/account/sessions';
const FACTOR = '/account/security/second-factor';
const passwordForm = z.object({ current: z.string().max(4096), password: z.string().max(4096) });
const codeForm = z.object({ code: z.string().min(1).max(40) });
const idParams = z.object({ id: z.string().min(1).max(40) });

/** One's password, second factor, and where one is signed in. */
export function securityRoutes(deps: Deps): Route[] {
  const { clock, accounts, secondFactors, passkeys, sessions, providers, identityLinks } = deps;
  const askAgain = ({ session }: Incoming, next: string): Reply | null =>
    confirmFirst(session, { now: clock.now(), next });

  async function page({ actor }: Incoming, error?: KnownError): Promise<Reply> {
    const user = await accounts.own(actor);
    const identities = await identityLinks.list(user.id);
    const ways = await providers.ways();
    return view('account/security', {
      tabs: accountTabs('security'),
      user,
      hasSecondFactor: await secondFactors.isOnFor(user.id),
      hasPassword: await accounts.hasPassword(user),
      passkeys: await passkeys.list(user.id),
      mayHavePasskeys: await passkeys.isPossible(),
      identities,
      providers: ways.filter(({ ref }) => identities.every(({ provider }) => provider !== ref)),
      codesLeft: await secondFactors.recoveryCodesLeft(user.id),
      ...refusalOf(error),
    });
  }

  async function enrolPage({ actor }: Incoming, error?: KnownError): Promise<Reply> {
    const { uri, secret } = await secondFactors.enrol(await accounts.own(actor));
    return view('account/second-factor', { secret, qr: await qrImage(uri), ...refusalOf(error) });
  }

  return [
    route({ method: 'get', path: SECURITY, access: 'signed-in', handler: (incoming) => page(incoming) }),
    route({
      method: 'post',
      path: '/account/password',
      access: 'signed-in',
      body: passwordForm,
      onRefused: page,
      handler: async ({ actor, session, body, ip, userAgent }) => {
        if (!session) throw new NotFoundError('session.not-found');
        const { cookie } = await accounts.changePassword(actor, session, body, { ip, userAgent });
        return redirect(SECURITY, {
          cookies: [cookie],
          flash: { kind: 'success', code: 'identity:flash.password-changed' },
        });
      },
    }),
    route({
      method: 'get',
      path: FACTOR,
      access: 'signed-in',
      handler: async (incoming) => askAgain(incoming, FACTOR) ?? enrolPage(incoming),
    }),
    route({
      method: 'post',
      path: FACTOR,
      access: 'signed-in',
      body: codeForm,
      onRefused: enrolPage,
      handler: async (incoming) => {
        const again = askAgain(incoming, FACTOR);
        if (again) return again;
        const codes = await secondFactors.turnOn(
          incoming.actor,
          await accounts.own(incoming.actor),
          incoming.body.code,
        );
        return view('account/recovery-codes', { codes });
      },
    }),
    route({
      method: 'post',
      path: `${FACTOR}/codes`,
      access: 'signed-in',
      handler: async (incoming) => {
        const again = askAgain(incoming, SECURITY);
        if (again) return again;
        const codes = await secondFactors.renewRecoveryCodes(
          incoming.actor,
          await accounts.own(incoming.actor),
        );
        return view('account/recovery-codes', { codes });
      },
    }),
    route({
      method: 'post',
      path: `${FACTOR}/off`,
      access: 'signed-in',
      handler: async (incoming) => {
        const again = askAgain(incoming, SECURITY);
        if (again) return again;
        await secondFactors.turnOff(incoming.actor, await accounts.own(incoming.actor));
        return redirect(SECURITY, { flash: { kind: 'success', code: 'identity:flash.second-factor-off' } });
      },
    }),
    route({
      method: 'get',
      path: SESSIONS,
      access: 'signed-in',
      handler: async ({ actor, session }) => {
        const own = await sessions.listOwn(actor);
        const shown = own.map((one) => ({
          ...one,
          device: deviceOf(one.userAgent),
          isThis: one.id === session?.id,
        }));
        return view('account/sessions', { tabs: accountTabs('sessions'), sessions: shown });
      },
    }),
    route({
      method: 'post',
      path: `${SESSIONS}/:id/end`,
      access: 'signed-in',
      params: idParams,
      handler: async ({ actor, params: { id } }) => {
        await sessions.endOwn(actor, id);
        return redirect(SESSIONS, { flash: { kind: 'success', code: 'identity:flash.session-ended' } });
      },
    }),
    route({
      method: 'post',
      path: `${SESSIONS}/end-others`,
      access: 'signed-in',
      handler: async ({ actor, session }) => {
        if (session) await sessions.endOthers(actor, session);
        return redirect(SESSIONS, { flash: { kind: 'success', code: 'identity:flash.sessions-ended' } });
      },
    }),
  ];
}
