import { z } from 'zod';
import { askAgain } from '../http/recent-login.ts';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, type KnownError } from '../shared/errors.ts';
import { isAsking, presentNetwork, presentTrust } from './network-presenter.ts';
import type { NetworkService } from './network-service.ts';
import type { EntitlementService } from './entitlement/entitlement-service.ts';
import type { TrustService } from './trust/trust-service.ts';
import { shownAsSent } from './what-is-sent.ts';

const PATH = '/admin/network';
const access = { right: 'network.manage' };
const hubForm = z.object({ url: z.string().max(400) });
const keyForm = z.object({ key: z.string().max(10_000) });
const typed = z.object({ url: z.string().optional(), key: z.string().optional() });

interface Deps {
  network: NetworkService;
  trust: Pick<TrustService, 'status'>;
  entitlements: Pick<EntitlementService, 'nextSent'>;
  clock: Clock;
  /** Whether this house is a hub, too. */
  isHub: () => boolean;
}

/** Where administrators say which hub this installation belongs to, and bring its key. */
export function networkRoutes({ network, trust, entitlements, clock, isHub }: Deps): Route[] {
  const page = async (actor: Actor, refused: { error?: KnownError; body?: unknown } = {}): Promise<Reply> => {
    const { error, body } = refused;
    const [status, believed] = [await network.status(actor), await trust.status()];
    return view('network/network', {
      ...presentNetwork(status),
      trust: presentTrust(believed),
      isAsking: isAsking(status, believed, clock.now()),
      isHub: isHub(),
      sent: [await network.nextSent(), await entitlements.nextSent()]
        .filter((one) => one !== null)
        .map((one) => shownAsSent(one, status.key.mark ?? '')),
      typed: typed.safeParse(body).data ?? {},
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? error.code : undefined,
    });
  };
  const refuse = ({ actor, body }: Incoming, error: KnownError): Promise<Reply> =>
    page(actor, { error, body });
  const done = (code: string): Reply =>
    redirect(PATH, { flash: { kind: 'success', code: `network:flash.${code}` } });

  return [
    route({ method: 'get', path: PATH, access, handler: ({ actor }) => page(actor) }),
    route({
      method: 'post',
      path: `${PATH}/hub`,
      access,
      body: hubForm,
      onRefused: refuse,
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: clock.now(), next: PATH });
        if (asked) return asked;
        await network.setHub(incoming.actor, incoming.body.url);
        return done('hub-saved');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/own-hub`,
      access,
      onRefused: refuse,
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: clock.now(), next: PATH });
        if (asked) return asked;
        if (!isHub()) throw new ConflictError('network.no-hub-here');
        await network.setOwnHub(incoming.actor);
        return done('hub-saved');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/neighbour`,
      access,
      body: hubForm,
      onRefused: refuse,
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: clock.now(), next: PATH });
        if (asked) return asked;
        await network.allowNeighbour(incoming.actor, incoming.body.url);
        return done('neighbour-allowed');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/key`,
      access,
      body: keyForm,
      onRefused: refuse,
      handler: async ({ actor, body }) => {
        await network.setKey(actor, body.key);
        return done('key-saved');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/check`,
      access,
      onRefused: refuse,
      handler: async ({ actor }) => {
        await network.checkSoon(actor);
        return redirect(PATH, { flash: { kind: 'info', code: 'network:flash.checking' } });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/remove`,
      access,
      onRefused: refuse,
      handler: async ({ actor }) => {
        await network.removeKey(actor);
        return done('removed');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/new-installation`,
      access,
      onRefused: refuse,
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: clock.now(), next: PATH });
        if (asked) return asked;
        await network.resetIdentity(incoming.actor);
        return done('new-installation');
      },
    }),
  ];
}
