import {
  redirect,
  route,
  view,
  z,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { SubscriptionService } from './subscription-service.ts';
import { titleOf } from './offer-title.ts';

interface Deps {
  host: Host;
  subscriptions: SubscriptionService;
}

const PATH = '/admin/hub';
const access = { right: 'network-hub.manage' };
const day = z.iso.date('hub.say-a-day').transform((text) => Date.parse(`${text}T00:00:00Z`));
const DAY_MS = 86_400_000;
const form = z.object({
  email: z.string().trim().toLowerCase().min(1, 'hub.no-such-customer').max(320),
  owner: z.string().trim().min(1, 'hub.say-the-owner').max(120),
  offer: z.string().max(60),
  begins: day,
  ends: z.union([z.literal('').transform(() => null), day.transform((at) => at + DAY_MS)]),
});
const typed = z.object({
  email: z.string().catch(''),
  owner: z.string().catch(''),
  offer: z.string().catch('network-standard'),
  begins: z.string().catch(''),
  ends: z.string().catch(''),
});

/** Where the vendor's people say who has taken what, from when until when. */
export function vendorRoutes({ host, subscriptions }: Deps): Route[] {
  const page = async (
    { actor, locale, body }: Pick<Incoming, 'actor' | 'locale' | 'body'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const all = await subscriptions.all(actor);
    const people = await host.users.named(all.map(({ userId }) => userId));
    const shown = typed.parse(body ?? {});
    return view('network-hub/vendor', {
      subscriptions: all.map((one) => ({
        ...one,
        title: titleOf(host, { reference: one.offer, title: one.offerTitle }, locale),
        email: people.get(one.userId)?.email ?? '',
        running: one.isRunning ? 'running' : 'over',
        tone: one.isRunning ? 'success' : 'quiet',
        keyCount: one.keys.filter(({ state }) => state === 'works' || state === 'ending').length,
        instanceCount: one.instances.length,
      })),
      offers: (await subscriptions.offers()).map((offer) => ({
        value: offer.reference,
        label: titleOf(host, offer, locale),
      })),
      form: { ...shown, begins: shown.begins || new Date(host.clock.now()).toISOString().slice(0, 10) },
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? error.code : undefined,
    });
  };

  return [
    route({ method: 'get', path: PATH, access, handler: (incoming) => page({ ...incoming, body: {} }) }),
    route({
      method: 'post',
      path: `${PATH}/subscriptions`,
      access,
      body: form,
      onRefused: (incoming, error) => {
        if (error.kind === 'forbidden') throw error;
        return page(incoming, error);
      },
      handler: async ({ actor, body: { begins, ends, ...draft } }) => {
        await subscriptions.add(actor, { ...draft, beginsAt: begins, endsAt: ends });
        return redirect(PATH, { flash: { kind: 'success', code: 'network-hub:flash.subscribed' } });
      },
    }),
  ];
}
