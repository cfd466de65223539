import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { MailService } from '../mail/index.ts';
import type { KnownError } from '../shared/errors.ts';
import { refusalOf, typedIn } from './form.ts';
import type { PasswordResetService } from './password-reset-service.ts';

interface Deps {
  resets: PasswordResetService;
  mail: Pick<MailService, 'isOn'>;
}

const params = z.object({ token: z.string().min(1).max(200) });
const forgotForm = z.object({ email: z.string().min(1).max(320) });
const resetForm = z.object({ password: z.string().max(4096) });
const secretly = { headers: { 'Referrer-Policy': 'same-origin', 'X-Robots-Tag': 'noindex' } };

/** For those who forgot their password. The link is read by GET and spent by POST. */
export function passwordRoutes({ resets, mail }: Deps): Route[] {
  async function resetPage({ params: raw }: Incoming, error?: KnownError): Promise<Reply> {
    const { token } = params.parse(raw);
    const { user } = await resets.assertOpen(token);
    return view(
      'identity/reset',
      { action: `/reset/${token}`, email: user.email, ...refusalOf(error) },
      secretly,
    );
  }

  return [
    route({
      method: 'get',
      path: '/forgot',
      access: 'public',
      handler: () => view('identity/forgot', { mailIsOn: mail.isOn, form: {} }),
    }),
    route({
      method: 'post',
      path: '/forgot',
      access: 'public',
      body: forgotForm,
      onRefused: ({ body }, error) =>
        view('identity/forgot', { mailIsOn: mail.isOn, form: typedIn(body, ['email']), ...refusalOf(error) }),
      handler: async ({ body: { email }, ip }) => {
        await resets.request(email, { ip });
        return redirect('/forgot/sent');
      },
    }),
    route({
      method: 'get',
      path: '/forgot/sent',
      access: 'public',
      handler: () => view('identity/forgot-sent', { mailIsOn: mail.isOn }),
    }),
    route({
      method: 'get',
      path: '/reset/:token',
      access: 'public',
      params,
      handler: (incoming) => resetPage(incoming),
    }),
    route({
      method: 'post',
      path: '/reset/:token',
      access: 'public',
      params,
      body: resetForm,
      onRefused: resetPage,
      handler: async ({ params: { token }, body: { password } }) => {
        await resets.reset(token, password);
        return redirect('/login', { flash: { kind: 'success', code: 'identity:flash.password-set' } });
      },
    }),
  ];
}
