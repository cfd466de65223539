import {
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
import { problemsOf } from '../join/join-presenter.ts';
import { findByUser } from '../seats/redemption-repository.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKey } from '../keys/key-repository.ts';
import { firstStepsPath, type Landing } from './landing.ts';
import type { StepWalk, Way } from './step-walk.ts';

interface Deps {
  host: Host;
  walk: StepWalk;
  landing: Landing;
}

const keyParams = z.object({ keyId: z.string().max(40) });
const takeForm = z.object({ step: z.string().max(100), agreed: z.string().optional() });
const headers = { 'X-Robots-Tag': 'noindex, nofollow', 'Cache-Control': 'no-store' };

/** A step as its page shows it. The form at the end of the way before joining counts as the last step. */
export function presentStep(
  { all, open }: Way,
  place: { action: string; handle?: string; organisation: string; error?: KnownError; preview?: boolean },
): object {
  const step = open[0];
  const total = all.length + (step?.phase === 'before' ? 1 : 0);
  return {
    ...place,
    step,
    number: all.length - open.length + 1,
    total,
    isLast: step?.phase === 'after' && open.length === 1,
    errors: problemsOf(place.error),
  };
}

/** First steps after joining, for whoever has just come in. */
export function walkRoutes({ host, walk, landing }: Deps): Route[] {
  /** Only of a key by which one is in. */
  async function keyOf({ actor }: Incoming, keyId: string): Promise<{ key: InvitationKey; userId: string }> {
    const userId = actor.userId ?? '';
    const key = await findKey(host.db, keyId);
    const redemption = key === null ? null : await findByUser(host.db, keyId, userId);
    if (key === null || redemption?.status !== 'active') throw new NotFoundError('invitation.nothing_waits');
    return { key, userId };
  }

  async function page(incoming: Incoming<z.infer<typeof keyParams>>, error?: KnownError): Promise<Reply> {
    const { key, userId } = await keyOf(incoming, incoming.params.keyId);
    const way = await walk.wayOf(key, 'after', { userId }, incoming.locale);
    if (way.open.length === 0) return redirect(await landing.safe(userId, key.landing));
    const { organisation } = await host.site();
    const place = { action: firstStepsPath(key.id), organisation, ...(error ? { error } : {}) };
    return view(`${host.plugin.id}/join/step`, presentStep(way, place), { headers });
  }

  return [
    route({
      method: 'get',
      path: '/join/first-steps/:keyId',
      access: 'signed-in',
      params: keyParams,
      handler: (incoming) => page(incoming),
    }),
    route({
      method: 'post',
      path: '/join/first-steps/:keyId',
      access: 'signed-in',
      params: keyParams,
      body: takeForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found') throw error;
        return page(incoming, error);
      },
      handler: async (incoming) => {
        const { params, body, locale } = incoming;
        const { key, userId } = await keyOf(incoming, params.keyId);
        const said = { step: body.step, agreed: body.agreed !== undefined, locale };
        await walk.take(key, 'after', { userId }, said);
        return redirect(await landing.of(userId, key.landing, locale));
      },
    }),
  ];
}
