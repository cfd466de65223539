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
import { titleOf } from '../offer-title.ts';
import { SUPPORT } from '../support/support-desk.ts';
import type { OfferService } from './offer-service.ts';

interface Deps {
  host: Host;
  offers: OfferService;
}

const PATH = '/admin/hub/offers';
const access = { right: 'network-hub.manage' };
const checked = z
  .string()
  .optional()
  .transform((value) => value !== undefined);
const form = z.object({
  title: z.string().trim().min(1, 'hub.say-the-title').max(80),
  above: z.string().max(60),
  withSupport: checked,
});
const typed = z.object({ title: z.string().catch(''), above: z.string().catch('network-advanced') });

/** Where the vendor says what there is to take, and which of it comes with support. */
export function offerRoutes({ host, offers }: Deps): Route[] {
  const page = async (
    { actor, locale, body }: Pick<Incoming, 'actor' | 'locale' | 'body'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const all = (await offers.list(actor)).map((offer) => ({
      ...offer,
      title: titleOf(host, offer, locale),
      withSupport: offer.features.includes(SUPPORT),
      path: `${PATH}/${offer.reference}`,
    }));
    return view('network-hub/offers', {
      offers: all,
      choices: all.map(({ reference, title }) => ({ value: reference, label: title })),
      form: typed.parse(body ?? {}),
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? error.code : undefined,
    });
  };
  const refuse = (incoming: Incoming, error: KnownError): Promise<Reply> => {
    if (error.kind === 'forbidden' || error.kind === 'not-found') throw error;
    return page(incoming, error);
  };
  const said = (code: string): Reply =>
    redirect(PATH, { flash: { kind: 'success', code: `network-hub:flash.${code}` } });

  return [
    route({ method: 'get', path: PATH, access, handler: (incoming) => page({ ...incoming, body: {} }) }),
    route({
      method: 'post',
      path: PATH,
      access,
      body: form,
      onRefused: refuse,
      handler: async ({ actor, body }) => {
        await offers.add(actor, body);
        return said('offer-added');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/:reference`,
      access,
      params: z.object({ reference: z.string().max(60) }),
      body: z.object({ withSupport: checked }),
      onRefused: refuse,
      handler: async ({ actor, params, body }) => {
        await offers.setSupport(actor, params.reference, body.withSupport);
        return said('offer-changed');
      },
    }),
  ];
}
