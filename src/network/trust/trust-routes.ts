import { z } from 'zod';
import { askAgain } from '../../http/recent-login.ts';
import { redirect, type Reply } from '../../http/reply.ts';
import { route, type Incoming, type Route } from '../../http/route.ts';
import type { Clock } from '../../shared/clock.ts';
import type { TrustService } from './trust-service.ts';

const PATH = '/admin/network';
const access = { right: 'network.manage' };
const confirmForm = z.object({ fingerprint: z.string().max(64) });

interface Deps {
  trust: TrustService;
  clock: Clock;
}

/** Whom to believe is decided by a person who has just proved who they are (ruling 37). */
export function trustRoutes({ trust, clock }: Deps): Route[] {
  const asked = (incoming: Pick<Incoming, 'session'>): Reply | null =>
    askAgain(incoming, { now: clock.now(), next: PATH });
  const done = (code: string): Reply =>
    redirect(PATH, { flash: { kind: 'success', code: `network:flash.${code}` } });

  return [
    route({
      method: 'post',
      path: `${PATH}/trust/confirm`,
      access,
      body: confirmForm,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        await trust.confirm(incoming.actor, incoming.body.fingerprint);
        return done('hub-confirmed');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/trust/forget`,
      access,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        await trust.forget(incoming.actor);
        return done('hub-forgotten');
      },
    }),
  ];
}
