import {
  ConflictError,
  redirect,
  route,
  view,
  z,
  type Host,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { answered } from '../carries/carried-fields.ts';
import type { ApprovalService, Candidate } from './approval-service.ts';
import type { ConfirmService } from '../join/confirm-service.ts';

interface Deps {
  host: Host;
  approvals: ApprovalService;
  confirm: ConfirmService;
}

const APPROVE = { right: 'registration-key.approve' };
const MANAGE = { right: 'registration-key.manage' };
const APPROVALS = '/invitation-keys/approvals';
const UNCONFIRMED = '/invitation-keys/unconfirmed';
const idParams = z.object({ id: z.string().max(40) });
const pageQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) });
const reasonForm = z.object({ reason: z.string().trim().max(500).default('') });
const ids = z.union([z.string(), z.array(z.string())]).default([]);
const bulkForm = z.object({
  id: ids.transform((value) => [value].flat().slice(0, 200)),
  decision: z.enum(['approve', 'decline']),
  reason: z.string().trim().max(500).default(''),
});
const PER_PAGE = 50;

/** People who wait: for an administrator's word, or for their own mail. */
export function peopleRoutes({ host, approvals, confirm }: Deps): Route[] {
  const refused =
    (back: string) =>
    (_incoming: unknown, error: KnownError): Reply =>
      redirect(back, {
        flash: { kind: 'warning', code: `errors.${error.code}`, params: { ...error.params } },
      });
  const done = (back: string, code: string, count = 1): Reply =>
    redirect(back, { flash: { kind: 'success', code: `registration-key:flash.${code}`, params: { count } } });

  return [
    route({
      method: 'get',
      path: APPROVALS,
      access: APPROVE,
      query: pageQuery,
      handler: async ({ actor, locale, query }) => {
        const found = await approvals.listWaiting(actor, { ...query, perPage: PER_PAGE });
        return view(`${host.plugin.id}/people/approvals`, {
          ...found,
          page: found,
          people: found.items.map(presentTo(host, locale)),
        });
      },
    }),
    route({
      method: 'post',
      path: APPROVALS,
      access: APPROVE,
      body: bulkForm,
      onRefused: refused(APPROVALS),
      handler: async ({ actor, body: { id, decision, reason } }) => {
        const result = await approvals.decide(actor, id, decision, reason);
        const [refusal] = result.skipped;
        if (result.done === 0 && refusal) throw new ConflictError(refusal.code);
        return done(APPROVALS, `${decision}d`, result.done);
      },
    }),
    route({
      method: 'post',
      path: `${APPROVALS}/:id/approve`,
      access: APPROVE,
      params: idParams,
      onRefused: refused(APPROVALS),
      handler: async ({ actor, params }) => {
        await approvals.approve(actor, params.id);
        return done(APPROVALS, 'approved');
      },
    }),
    route({
      method: 'post',
      path: `${APPROVALS}/:id/decline`,
      access: APPROVE,
      params: idParams,
      body: reasonForm,
      onRefused: refused(APPROVALS),
      handler: async ({ actor, params, body }) => {
        await approvals.decline(actor, params.id, body.reason);
        return done(APPROVALS, 'declined');
      },
    }),
    route({
      method: 'get',
      path: UNCONFIRMED,
      access: MANAGE,
      query: pageQuery,
      handler: async ({ actor, locale, query }) => {
        const found = await approvals.listUnconfirmed(actor, { ...query, perPage: PER_PAGE });
        return view(`${host.plugin.id}/people/unconfirmed`, {
          page: found,
          people: found.items.map(presentTo(host, locale)),
          mailIsOn: host.mail.isOn,
        });
      },
    }),
    route({
      method: 'post',
      path: `${UNCONFIRMED}/:id/resend`,
      access: MANAGE,
      params: idParams,
      onRefused: refused(UNCONFIRMED),
      handler: async ({ actor, params }) => {
        await confirm.resendByHand(actor, params.id);
        return done(UNCONFIRMED, 'resent');
      },
    }),
    route({
      method: 'post',
      path: `${UNCONFIRMED}/:id/confirm`,
      access: MANAGE,
      params: idParams,
      onRefused: refused(UNCONFIRMED),
      handler: async ({ actor, params }) => {
        await confirm.byHand(actor, params.id);
        return done(UNCONFIRMED, 'confirmed');
      },
    }),
    route({
      method: 'post',
      path: `${UNCONFIRMED}/:id/dismiss`,
      access: MANAGE,
      params: idParams,
      onRefused: refused(UNCONFIRMED),
      handler: async ({ actor, params }) => {
        await approvals.dismiss(actor, params.id);
        return done(UNCONFIRMED, 'dismissed');
      },
    }),
  ];
}

const presentTo =
  (host: Host, locale: string) =>
  ({ redemption, key, attempt, name, email, answers }: Candidate): object => ({
    id: redemption.id,
    attemptId: attempt?.id ?? '',
    name,
    email,
    answers: answered(host, key.carries, answers, locale),
    at: redemption.at,
    holdUntil: redemption.holdUntil,
    sends: attempt?.sends ?? 0,
    wasMailed: attempt !== null && attempt.sentAt !== null,
    key: { id: key.id, label: key.label, hint: key.hint },
  });
