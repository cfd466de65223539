import {
  json,
  redirect,
  route,
  view,
  z,
  type Actor,
  type Host,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { reasonOfLetter } from '../seats/refusal.ts';
import { fixes, fixFor, isTakenByWhomItIsFor, applyFix } from './key-fixes.ts';
import { pillOf } from './key-presenter.ts';
import { mayManage } from '../keys/key-policy.ts';
import type { KeyService } from '../keys/key-service.ts';
import { standingOf, standings, type InvitationKey } from '../keys/invitation-key.ts';

interface Deps {
  host: Host;
  keys: KeyService;
}

const ROOT = '/invitation-keys';
const READ = { right: 'registration-key.read' };
const query = z.object({ code: z.string().max(20).catch('') });
const codeParams = z.object({ code: z.string().max(20) });
const idParams = z.object({ id: z.string().max(40) });
const fixForm = z.object({ fix: z.enum(fixes), code: z.string().max(20).default('') });
const apiFix = z.strictObject({ fix: z.enum(fixes) });
const explainedSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      standing: z.enum(standings),
      said: z.string().nullable(),
      fix: z.enum(fixes).nullable(),
    }),
  ),
});

/** The refused person reads out a code; here it says why, and what mends it. */
export function explainRoutes({ host, keys }: Deps): Route[] {
  const present = (actor: Actor, key: InvitationKey, now: number): object => ({
    id: key.id,
    label: key.label,
    hint: key.hint,
    pill: pillOf(key, now),
    standing: standingOf(key, now),
    fix: mayManage(actor, key) ? fixFor(key, now) : null,
    isExpired: standingOf(key, now) === 'expired',
    expiresAt: key.expiresAt,
    notBefore: standingOf(key, now) === 'scheduled' ? key.notBefore : null,
    pausedReason: standingOf(key, now) === 'paused' ? key.pausedReason : null,
    uses: key.uses,
    maxUses: key.maxUses,
    email: key.email,
    isTheirs: isTakenByWhomItIsFor(key, now),
    domains: key.emailDomains,
    takesOthers: key.email === null && key.emailDomains.length === 0,
    mayManage: mayManage(actor, key),
  });
  const explainPath = (code: string): string => `${ROOT}/explain?${new URLSearchParams({ code }).toString()}`;
  const backWith = ({ body }: { body: unknown }, error: KnownError): Reply => {
    if (error.kind === 'not-found') throw error;
    const code = fixForm.pick({ code: true }).safeParse(body).data?.code ?? '';
    return redirect(explainPath(code), { flash: { kind: 'warning', code: `errors.${error.code}` } });
  };
  const mend = async (actor: Actor, id: string, fix: (typeof fixes)[number]): Promise<void> => {
    const key = await keys.get(actor, id);
    await applyFix(keys, actor, { key, fix, now: host.clock.now() });
  };

  return [
    route({
      method: 'get',
      path: `${ROOT}/explain`,
      access: READ,
      query,
      handler: async ({ actor, query: { code } }) => {
        const found = code === '' ? [] : await keys.explained(actor, code);
        const now = host.clock.now();
        return view(`${host.plugin.id}/keys/explain`, {
          code,
          reason: saidBy(code),
          wasAsked: code !== '',
          found: found.map((key) => present(actor, key, now)),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/fix`,
      access: READ,
      params: idParams,
      body: fixForm,
      onRefused: backWith,
      handler: async ({ actor, params, body: { fix, code } }) => {
        await mend(actor, params.id, fix);
        return redirect(code === '' ? `${ROOT}/${params.id}` : explainPath(code), {
          flash: { kind: 'success', code: `registration-key:flash.fix-${fix}` },
        });
      },
    }),
    route({
      method: 'get',
      path: `/api/v1${ROOT}/explain/:code`,
      access: READ,
      params: codeParams,
      api: {
        summary: 'What the code of somebody who was turned away means, and what mends it',
        tag: 'Invitation keys',
        scope: 'invitation-keys:read',
        responses: { 200: { description: 'The keys it may mean', schema: explainedSchema } },
      },
      handler: async ({ actor, params: { code } }) => {
        const now = host.clock.now();
        const found = await keys.explained(actor, code);
        return json({
          items: found.map((key) => ({
            id: key.id,
            label: key.label,
            standing: standingOf(key, now),
            said: saidBy(code),
            fix: mayManage(actor, key) ? fixFor(key, now) : null,
          })),
        });
      },
    }),
    route({
      method: 'post',
      path: `/api/v1${ROOT}/:id/fix`,
      access: READ,
      params: idParams,
      body: apiFix,
      api: {
        summary: 'Mend what keeps people out: what the explanation of a code proposes',
        tag: 'Invitation keys',
        scope: 'invitation-keys:write',
        responses: { 200: { description: 'Done', schema: z.object({ standing: z.enum(standings) }) } },
      },
      handler: async ({ actor, params, body }) => {
        await mend(actor, params.id, body.fix);
        const key = await keys.get(actor, params.id);
        return json({ standing: standingOf(key, host.clock.now()) });
      },
    }),
  ];
}

/** The reason that the person read. */
const saidBy = (code: string): string | null => reasonOfLetter(code.trim().toUpperCase().at(-1) ?? '');
