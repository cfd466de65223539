import {
  ConflictError,
  json,
  NotFoundError,
  route,
  z,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { SubscriptionService } from '../subscription-service.ts';
import { noteCheckIn, startTrial, trialDaysOf } from './check-in-repository.ts';
import { keyDigestOf, paperFor } from './papers.ts';
import type { TrustService } from './trust-service.ts';

interface Deps {
  host: Host;
  trust: TrustService;
  subscriptions: SubscriptionService;
}

const DAY_MS = 86_400_000;
const PER_MINUTE = { name: 'check-in', points: 60, perSeconds: 60 };
const plugin = z.object({ id: z.string().max(48), version: z.string().max(40) });
/** All that a helpdesk tells; more is refused, so that nobody ever sends it. */
const checkInForm = z.strictObject({
  nonce: z.string().min(8).max(64),
  counter: z.int().min(0),
  latchkey: z.string().max(40),
  plugins: z.array(plugin).max(200),
});
const trialForm = checkInForm.extend({ trial: z.string().max(48) });

/** Where helpdesks get, on paper, what they are entitled to. The answer holds what they made up, so that it cannot be an old one. */
export function checkInRoutes({ host, trust, subscriptions }: Deps): Route[] {
  async function paper(incoming: Incoming, nonce: string, counter: number | null): Promise<Reply> {
    const key = incoming.header('x-registration-key') ?? '';
    const uid = incoming.header('x-glpi-network-uid') ?? '';
    const judged = await subscriptions.judge(key);
    const asked = { uid, keyDigest: keyDigestOf(key), nonce, judged };
    const document = await paperFor({ host, trust, subscriptions }, asked);
    if (document === null) throw new NotFoundError('hub.no-entitlement');
    if (judged.state === 'valid' && counter !== null) {
      const subscriptionId = judged.subscription.id;
      const told = { subscriptionId, uid, counter, told: toldIn(incoming.body), at: host.clock.now() };
      await host.transaction((tx) => noteCheckIn(tx, told));
    }
    return json({ document });
  }

  return [
    route({
      method: 'post',
      path: '/api/network/v1/check-in',
      access: 'public',
      body: checkInForm,
      handler: async (incoming) => {
        await host.limits.count(PER_MINUTE, incoming.ip);
        return paper(incoming, incoming.body.nonce, incoming.body.counter);
      },
    }),
    route({
      method: 'post',
      path: '/api/network/v1/trials',
      access: 'public',
      body: trialForm,
      handler: async (incoming) => {
        await host.limits.count(PER_MINUTE, incoming.ip);
        const { trial, nonce } = incoming.body;
        const judged = await subscriptions.judge(incoming.header('x-registration-key') ?? '');
        const days = await trialDaysOf(host.db, trial);
        if (judged.state !== 'valid' || days === 0) throw new ConflictError('hub.no-trial');
        const startedAt = host.clock.now();
        const { userId } = judged.subscription;
        await host.transaction((tx) =>
          startTrial(tx, { userId, plugin: trial, startedAt, until: startedAt + days * DAY_MS }),
        );
        return paper(incoming, nonce, null);
      },
    }),
  ];
}

const toldIn = (body: unknown): { latchkey: string; plugins: { id: string; version: string }[] } => {
  const { latchkey, plugins } = checkInForm.parse(body);
  return { latchkey, plugins };
};
