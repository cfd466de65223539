import {
  askAgain,
  file,
  NotFoundError,
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
import type { RevealedKey } from './revealed-key.ts';
import type { SubscriptionService, SubscriptionView } from './subscription-service.ts';
import { titleOf } from './offer-title.ts';
import { nameIn } from './release.ts';
import type { ReleaseService } from './release-service.ts';
import { usageOf } from './usage.ts';

interface Deps {
  host: Host;
  subscriptions: SubscriptionService;
  revealed: RevealedKey;
  releases: ReleaseService;
}

const PATH = '/network';
const access = 'signed-in' as const;
const params = z.object({ id: z.string().max(40) });
const rollForm = z.object({ overlap: z.enum(['now', 'day', 'week']).default('day') });
const fileForm = z.object({ sealed: z.string().max(2000) });
const tones = { works: 'success', ending: 'warning', ended: 'quiet', revoked: 'danger' } as const;

/** What a customer sees: what they have taken, the key for their helpdesk, and the helpdesks that use it. */
export function portalRoutes({ host, subscriptions, revealed, releases }: Deps): Route[] {
  const refuse = ({ actor, locale }: Incoming, error: KnownError): Promise<Reply> => {
    if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
    return page({ actor, locale }, error.code);
  };
  const page = async (
    { actor, locale }: Pick<Incoming, 'actor' | 'locale'>,
    message?: string,
  ): Promise<Reply> => {
    const mine = await subscriptions.mine(actor);
    const isUsed = mine.some(({ instances }) => instances.length > 0);
    return view('network-hub/portal', {
      usage: isUsed ? await usageShown(mine, locale) : null,
      subscriptions: mine.map((one) => presentSubscription(host, one, locale)),
      mayRegister: !mine.some(({ offer }) => offer === 'virtual'),
      message,
      hub: (await host.site()).origin,
    });
  };
  const usageShown = async (mine: readonly SubscriptionView[], locale: string): Promise<object> => {
    const listed = await releases.list({ from: 0, limit: 200 });
    const names = new Map(listed.map(({ record }) => [record.id, nameIn(record, locale)]));
    const subscriptionIds = mine.map(({ id }) => id);
    return usageOf(host, { subscriptionIds, nameOf: (id) => names.get(id) ?? id });
  };
  const reveal = ({ actor }: Incoming, secret: string): Reply =>
    redirect(`${PATH}/key`, { cookies: [revealed.keep(actor.userId, secret)] });
  const said = (code: string): Reply =>
    redirect(PATH, { flash: { kind: 'success', code: `network-hub:flash.${code}` } });
  const post = (
    path: string,
    {
      body,
      handler,
    }: { body?: typeof rollForm; handler: (incoming: Incoming, id: string) => Promise<Reply> },
  ): Route =>
    route({
      method: 'post',
      path: `${PATH}${path}`,
      access,
      params,
      ...(body ? { body } : {}),
      onRefused: (incoming, error) => refuse(incoming, error),
      handler: (incoming) =>
        askAgain(incoming, { now: host.clock.now(), next: PATH }) ?? handler(incoming, incoming.params.id),
    });

  return [
    route({ method: 'get', path: PATH, access, handler: (incoming) => page(incoming) }),
    route({
      method: 'post',
      path: `${PATH}/register`,
      access,
      onRefused: (incoming, error) => refuse(incoming, error),
      handler: async ({ actor }) => {
        await subscriptions.takeFree(actor);
        return said('registered');
      },
    }),
    post('/subscriptions/:id/keys', {
      handler: async (incoming, id) => reveal(incoming, await subscriptions.mint(incoming.actor, id)),
    }),
    post('/keys/:id/roll', {
      body: rollForm,
      handler: async (incoming, id) =>
        reveal(incoming, await subscriptions.roll(incoming.actor, id, rollForm.parse(incoming.body).overlap)),
    }),
    post('/keys/:id/revoke', {
      handler: async ({ actor }, id) => {
        await subscriptions.revoke(actor, id);
        return said('revoked');
      },
    }),
    post('/instances/:id/release', {
      handler: async ({ actor }, id) => {
        await subscriptions.release(actor, id);
        return said('released');
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/key`,
      access,
      handler: async (incoming) => {
        const secret = revealed.take(incoming);
        if (secret === null) return redirect(PATH);
        const model = {
          secret,
          sealed: revealed.seal(incoming.actor.userId, secret),
          hub: (await host.site()).origin,
        };
        return view('network-hub/key', model, { cookies: [revealed.forget] });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/key/file`,
      access,
      body: fileForm,
      handler: ({ actor, body }) => {
        const secret = revealed.open(actor.userId, body.sealed);
        if (secret === null) throw new NotFoundError('hub.key-shown-already');
        return file(Buffer.from(`${secret}\n`), { name: 'latchkey-network.key', mediaType: 'text/plain' });
      },
    }),
  ];
}

function presentSubscription(host: Host, subscription: SubscriptionView, locale: string): object {
  const { offer, offerTitle, keys } = subscription;
  return {
    ...subscription,
    title: titleOf(host, { reference: offer, title: offerTitle }, locale),
    keys: keys.map((key) => ({
      ...key,
      tone: tones[key.state],
      mayRoll: key.state === 'works',
      mayRevoke: key.state === 'works' || key.state === 'ending',
    })),
  };
}
