import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { KnownError } from '../shared/errors.ts';
import type { AccountService } from './account-service.ts';
import { accountTabs } from './account-tabs.ts';
import type { EmailConfirmationService } from './email-confirmation-service.ts';
import { refusalOf, typedIn } from './form.ts';
import type { MembershipService } from './membership-service.ts';
import { localeOptions, timeZoneOptions } from './options.ts';
import type { Directory } from './directory.ts';
import { ROOT_ENTITY_ID } from './entity.ts';

interface Deps {
  accounts: AccountService;
  confirmations: EmailConfirmationService;
  memberships: MembershipService;
  directory: Directory;
  mail: { readonly isOn: boolean };
}

const profileForm = z.object({
  name: z.string().max(300),
  locale: z.string().max(12),
  timeZone: z.string().max(64).default(''),
  theme: z.string().max(8),
  version: z.coerce.number().int(),
});
const emailForm = z.object({ email: z.string().min(1).max(320) });
const codeForm = z.object({ code: z.string().min(1).max(20) });
const linkParams = z.object({ token: z.string().min(1).max(200) });

const ACCOUNT = '/account';
const LANGUAGE_COOKIE = 'lang';
const ONE_YEAR_SECONDS = 365 * 24 * 3600;

/** One's own name, language, looks and address. */
export function accountRoutes({ accounts, confirmations, memberships, directory, mail }: Deps): Route[] {
  async function page({ actor, body }: Incoming, error?: KnownError): Promise<Reply> {
    const user = await accounts.own(actor);
    const { tree, profiles } = await directory.snapshot();
    const grants = await memberships.grantsOf(user.id);
    return view('account/profile', {
      tabs: accountTabs('profile'),
      user,
      form: {
        ...user,
        timeZone: user.timeZone ?? '',
        ...typedIn(body, ['name', 'locale', 'timeZone', 'theme', 'email']),
      },
      locales: localeOptions,
      timeZones: timeZoneOptions(),
      pendingEmail: await confirmations.pendingOf(user.id),
      mailIsOn: mail.isOn,
      groups: await memberships.groupsOf(user.id),
      grants: grants.map(({ profileId, entityId, isRecursive }) => ({
        profile: profiles.find(({ id }) => id === profileId)?.name,
        entity: tree.fullName(entityId),
        isRecursive,
        isEverywhere: isRecursive && entityId === ROOT_ENTITY_ID,
      })),
      ...refusalOf(error),
    });
  }

  return [
    route({ method: 'get', path: ACCOUNT, access: 'signed-in', handler: (incoming) => page(incoming) }),
    route({
      method: 'post',
      path: ACCOUNT,
      access: 'signed-in',
      body: profileForm,
      onRefused: page,
      handler: async ({ actor, body }) => {
        await accounts.updateProfile(actor, body);
        // The sign-in page, too, should speak their language.
        const language = { name: LANGUAGE_COOKIE, value: body.locale, maxAge: ONE_YEAR_SECONDS };
        return redirect(ACCOUNT, { flash: saved, cookies: [language] });
      },
    }),
    route({
      method: 'post',
      path: '/account/email',
      access: 'signed-in',
      body: emailForm,
      onRefused: page,
      handler: async ({ actor, body: { email } }) => {
        await confirmations.send(await accounts.own(actor), email);
        return redirect(`${ACCOUNT}#email`, {
          flash: { kind: 'info', code: 'identity:flash.code-sent', params: { email } },
        });
      },
    }),
    route({
      method: 'post',
      path: '/account/email/code',
      access: 'signed-in',
      body: codeForm,
      onRefused: page,
      handler: async ({ actor, body: { code } }) => {
        await confirmations.confirmByCode(actor, code);
        return redirect(ACCOUNT, { flash: { kind: 'success', code: 'identity:flash.email-confirmed' } });
      },
    }),
    route({
      method: 'get',
      path: '/confirm-email/:token',
      access: 'public',
      params: linkParams,
      handler: async ({ params: { token } }) => {
        const { email } = await confirmations.assertOpen(token);
        return view('identity/confirm-email', { action: `/confirm-email/${token}`, email });
      },
    }),
    route({
      method: 'post',
      path: '/confirm-email/:token',
      access: 'public',
      params: linkParams,
      handler: async ({ actor, params: { token } }) => {
        await confirmations.confirmByLink(actor, token);
        const to = actor.kind === 'user' ? ACCOUNT : '/login';
        return redirect(to, { flash: { kind: 'success', code: 'identity:flash.email-confirmed' } });
      },
    }),
  ];
}

const saved = { kind: 'success', code: 'identity:flash.saved' } as const;
