import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { KnownError } from '../shared/errors.ts';
import { refusalOf, typedIn } from './form.ts';
import { serverTimeZone, timeZoneOptions } from './options.ts';
import type { SetupService } from './setup-service.ts';
import { locales } from './user.ts';

interface Deps {
  setup: SetupService;
  /** Whether the configuration says how people reach us; else the owner does. */
  originIsConfigured: boolean;
}

const params = z.object({ token: z.string().min(1).max(200) });
const form = z.object({
  locale: z.enum(locales),
  organisation: z.string().trim().min(1).max(120),
  name: z.string().min(1).max(200),
  email: z.string().min(1).max(320),
  password: z.string().max(4096),
  timeZone: z.string().max(64),
  origin: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).default(''),
});

/** What the owner link opens. Reading it spends nothing: mail scanners and previews read. */
export function setupRoutes({ setup, originIsConfigured }: Deps): Route[] {
  async function page(incoming: Incoming, error?: KnownError): Promise<Reply> {
    const { token } = params.parse(incoming.params);
    await setup.assertOpen(token);
    const typed = typedIn(incoming.body, ['locale', 'organisation', 'name', 'email', 'timeZone', 'origin']);
    return view(
      'identity/setup',
      {
        action: `/setup/${token}`,
        form: { locale: incoming.locale, origin: incoming.origin, timeZone: serverTimeZone(), ...typed },
        asksOrigin: !originIsConfigured,
        timeZones: timeZoneOptions(),
        ...refusalOf(error),
      },
      { headers: { 'Referrer-Policy': 'same-origin', 'X-Robots-Tag': 'noindex' } },
    );
  }

  return [
    route({
      method: 'get',
      path: '/setup/:token',
      access: 'public',
      params,
      handler: (incoming) => page(incoming),
    }),
    route({
      method: 'post',
      path: '/setup/:token',
      access: 'public',
      params,
      body: form,
      onRefused: page,
      handler: async ({ params: { token }, body, origin, ip, userAgent }) => {
        // What is only where the server listens now is not written down: the port may be another one tomorrow.
        const isNews = !originIsConfigured && body.origin !== origin;
        const draft = { ...body, origin: isNews ? body.origin : '' };
        const { cookie } = await setup.complete(token, draft, { ip, userAgent });
        return redirect('/welcome', { cookies: [cookie] });
      },
    }),
  ];
}
