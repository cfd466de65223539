import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, type KnownError } from '../shared/errors.ts';
import type { AccessTokenService } from './access-token-service.ts';
import { accountTabs } from './account-tabs.ts';
import { many, refusalOf, typedIn } from './form.ts';
import { confirmFirst } from './recent-sign-in.ts';

interface Deps {
  clock: Clock;
  accessTokens: AccessTokenService;
  /** Every scope that some call of the API asks for. */
  scopes: () => readonly string[];
}

const labelled = new Set([
  'tickets:read',
  'tickets:write',
  'users:read',
  'users:write',
  'notifications:read',
  'notifications:write',
  '*',
]);

const TOKENS = '/account/tokens';
const DAY_MS = 24 * 60 * 60_000;
const form = z.object({
  name: z.string().max(200),
  days: z.coerce.number().int().min(1).max(365),
  scopes: many(z.string().max(40)),
});
const params = z.object({ id: z.string().min(1).max(40) });

/** Personal API tokens: made, shown once, withdrawn. */
export function tokenRoutes({ clock, accessTokens, scopes }: Deps): Route[] {
  async function page({ actor, body }: Incoming, error?: KnownError): Promise<Reply> {
    const tokens = await accessTokens.listOf(actor, ownId(actor.userId));
    const chosen = z.object({ scopes: many(z.string()) }).safeParse(body).data?.scopes ?? [];
    return view('account/tokens', {
      tabs: accountTabs('tokens'),
      tokens: tokens.map((token) => ({ ...token, isOver: token.expiresAt <= clock.now() })),
      scopes: scopes().map((scope) => ({
        scope,
        // A plugin's speak for themselves.
        label: labelled.has(scope)
          ? `identity:scope.${scope === '*' ? 'all' : scope.replace(':', '.')}`
          : null,
        checked: chosen.includes(scope),
      })),
      form: { days: '90', ...typedIn(body, ['name', 'days']) },
      ...refusalOf(error),
    });
  }

  return [
    route({ method: 'get', path: TOKENS, access: 'signed-in', handler: (incoming) => page(incoming) }),
    route({
      method: 'post',
      path: TOKENS,
      access: 'signed-in',
      body: form,
      onRefused: page,
      handler: async ({ actor, session, body: { name, days, scopes } }) => {
        const again = confirmFirst(session, { now: clock.now(), next: TOKENS });
        if (again) return again;
        const expiresAt = clock.now() + days * DAY_MS;
        const { token, secret } = await accessTokens.create(actor, ownId(actor.userId), {
          name,
          scopes,
          expiresAt,
        });
        return view('account/token-created', { token, secret });
      },
    }),
    route({
      method: 'post',
      path: `${TOKENS}/:id/revoke`,
      access: 'signed-in',
      params,
      handler: async ({ actor, params: { id } }) => {
        await accessTokens.revoke(actor, id);
        return redirect(TOKENS, { flash: { kind: 'success', code: 'identity:flash.token-revoked' } });
      },
    }),
  ];
}

function ownId(userId: string | null): string {
  if (userId === null) throw new ForbiddenError('access-token.not-yours');
  return userId;
}
