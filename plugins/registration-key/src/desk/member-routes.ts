import {
  askAgain,
  ForbiddenError,
  redirect,
  route,
  view,
  z,
  type Actor,
  type Flash,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { backWith } from '../keys/back-with.ts';
import { problemsOf } from '../join/join-presenter.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { mayManage, mayReveal } from '../keys/key-policy.ts';
import { pillOf } from './key-presenter.ts';
import type { KeyService, ShownKey } from '../keys/key-service.ts';
import { DAY_MS, type KeyDraft } from '../keys/key-terms.ts';
import type { MemberQuota } from '../keys/member-quota.ts';
import type { Places } from '../keys/places.ts';
import { presentLink } from '../sharing/link-model.ts';
import { ShownSecret } from '../keys/shown-secret.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  places: Places;
  quota: MemberQuota;
}

const INVITE = { right: 'registration-key.invite' };
const ROOT = '/invitation-keys/mine';
const idParams = z.object({ id: z.string().max(40) });
const some = z.string().max(2000).default('');
const memberForm = z.object({
  label: some,
  email: some,
  maxUses: some,
  days: some,
  note: some,
  groups: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((value) => [value].flat().filter((one) => one !== '')),
});
type MemberForm = z.output<typeof memberForm>;
const PER_PAGE = 50;

/** "My invitations": what somebody without an administrator's rights may hand out, and how it fares. */
export function memberRoutes({ host, keys, places, quota }: Deps): Route[] {
  const shown = new ShownSecret(host);
  const said = (code: string): Flash => ({ kind: 'success', code: `registration-key:flash.${code}` });

  async function assertIsOn(): Promise<void> {
    if (!(await quota.isOn())) throw new ForbiddenError('invitation.inviting_is_off');
  }

  async function mine(
    { actor }: Pick<Incoming, 'actor'>,
    extra: { form?: object; error?: KnownError } = {},
  ): Promise<Reply> {
    await assertIsOn();
    const allowance = await quota.allowanceOf(actor);
    const found = await keys.listOwn(actor, { page: 1, perPage: PER_PAGE });
    const now = host.clock.now();
    return view(`${host.plugin.id}/keys/mine`, {
      keys: found.items.map((key) => presentOwn(actor, key, now)),
      allowance,
      left: Math.max(0, allowance.openKeys - allowance.open),
      mayInvite: allowance.waitsUntil === null && allowance.open < allowance.openKeys,
      groups: allowance.groups.map(({ id, name }) => ({ value: id, label: name })),
      form: { days: Math.min(7, allowance.days), maxUses: Math.min(allowance.uses, 5), ...extra.form },
      errors: problemsOf(extra.error),
    });
  }

  const showIt = ({ actor }: Incoming, { key, text }: ShownKey): Reply =>
    redirect(`${ROOT}/${key.id}`, { cookies: [shown.keep(key.id, text, actor.userId)] });

  return [
    route({ method: 'get', path: ROOT, access: INVITE, handler: (incoming) => mine(incoming) }),
    route({
      method: 'post',
      path: ROOT,
      access: INVITE,
      body: memberForm,
      onRefused: (incoming, error) =>
        mine(incoming, {
          error,
          form: memberForm.catch(memberForm.parse({})).parse(incoming.body),
        }),
      handler: async (incoming) => {
        await assertIsOn();
        return showIt(incoming, await keys.mint(incoming.actor, draftFrom(incoming.body, host.clock.now())));
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: INVITE,
      params: idParams,
      handler: async ({ actor, cookies, locale, params }) => {
        const key = await keys.get(actor, params.id);
        const text = shown.read(cookies, key.id, actor.userId);
        if (text === null) return redirect(ROOT);
        const model = await presentLink(host, places, { key, copy: null, text }, { locale });
        return view(`${host.plugin.id}/keys/mine-link`, model);
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/reveal`,
      access: INVITE,
      params: idParams,
      onRefused: (_incoming, error) => backWith(ROOT, error),
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: host.clock.now(), next: ROOT });
        return asked ?? showIt(incoming, await keys.reveal(incoming.actor, incoming.params.id));
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/revoke`,
      access: INVITE,
      params: idParams,
      onRefused: (_incoming, error) => backWith(ROOT, error),
      handler: async ({ actor, params }) => {
        await keys.revoke(actor, params.id);
        return redirect(ROOT, { flash: said('revoke') });
      },
    }),
  ];
}

const presentOwn = (actor: Actor, key: InvitationKey, now: number): object => ({
  id: key.id,
  label: key.label,
  email: key.email,
  pill: pillOf(key, now),
  uses: key.uses,
  maxUses: key.maxUses,
  expiresAt: key.expiresAt,
  mayRevoke: key.revokedAt === null && mayManage(actor, key),
  mayReveal: key.hasCopy && key.revokedAt === null && mayReveal(actor, key),
});

function draftFrom({ label, email, maxUses, days, note, groups }: MemberForm, now: number): KeyDraft {
  const draft: KeyDraft = { label, note, groups };
  if (email.trim() !== '') draft.email = email;
  if (email.trim() === '' && maxUses !== '') draft.maxUses = Number(maxUses);
  if (days !== '') draft.expiresAt = Math.round(now + Number(days) * DAY_MS);
  return draft;
}
