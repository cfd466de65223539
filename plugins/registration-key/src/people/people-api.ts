import {
  empty,
  json,
  NotFoundError,
  route,
  z,
  type ApiFacts,
  type Host,
  type Incoming,
  type Page,
  type Route,
} from 'latchkey/plugin-api';
import { answered } from '../carries/carried-fields.ts';
import type { ConfirmService } from '../join/confirm-service.ts';
import type { ApprovalService, Candidate } from './approval-service.ts';

interface Deps {
  host: Host;
  approvals: ApprovalService;
  confirm: ConfirmService;
}

const ROOT = '/api/v1/invitation-keys';
const APPROVE = { right: 'registration-key.approve' };
const MANAGE = { right: 'registration-key.manage' };
const idParams = z.object({ id: z.string().max(40) });
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
});
const decideBody = z.strictObject({
  ids: z.array(z.string().max(40)).min(1).max(200),
  decision: z.enum(['approve', 'decline']),
  reason: z.string().trim().max(500).default(''),
});
const resultSchema = z.object({
  done: z.int(),
  skipped: z.array(z.object({ id: z.string(), code: z.string() })),
});
const iso = z.iso.datetime();
const candidateSchema = z.object({
  id: z.string(),
  keyId: z.string(),
  name: z.string(),
  email: z.string(),
  how: z.enum(['new', 'existing']),
  userId: z.string().nullable(),
  answers: z.array(z.object({ question: z.string(), answer: z.string() })),
  at: iso,
  heldUntil: iso.nullable(),
});
const pageSchema = z.object({
  items: z.array(candidateSchema),
  page: z.int(),
  perPage: z.int(),
  total: z.int(),
});

const facts = (summary: string, scope: 'read' | 'write', schema: z.ZodType): ApiFacts => ({
  summary,
  tag: 'Invitation keys',
  scope: `invitation-keys:${scope}`,
  responses: { 200: { description: summary, schema } },
});

/** People who wait, for an administrator's word or for their own mail, for programs. */
export function peopleApi({ host, approvals, confirm }: Deps): Route[] {
  const shown = ({ items, ...page }: Page<Candidate>, { locale }: Pick<Incoming, 'locale'>): object => ({
    ...page,
    items: items.map((candidate) => candidateJson(host, candidate, locale)),
  });

  async function attemptOf(id: string): Promise<string> {
    const attemptId = await approvals.attemptOf(id);
    if (attemptId === null) throw new NotFoundError('invitation.nothing_waits');
    return attemptId;
  }

  return [
    route({
      method: 'get',
      path: `${ROOT}/approvals`,
      access: APPROVE,
      query: pageQuery,
      api: facts('People who wait for an approver, newest first', 'read', pageSchema),
      handler: async (incoming) =>
        json(shown(await approvals.listWaiting(incoming.actor, incoming.query), incoming)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/approvals`,
      access: APPROVE,
      body: decideBody,
      api: facts(
        'Let several people in, or none of them; those that cannot be are named',
        'write',
        resultSchema,
      ),
      handler: async ({ actor, body: { ids, decision, reason } }) =>
        json(await approvals.decide(actor, ids, decision, reason)),
    }),
    route({
      method: 'get',
      path: `${ROOT}/unconfirmed`,
      access: MANAGE,
      query: pageQuery,
      api: facts('People whose place is held until they have proved their address', 'read', pageSchema),
      handler: async (incoming) =>
        json(shown(await approvals.listUnconfirmed(incoming.actor, incoming.query), incoming)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/unconfirmed/:id/confirm`,
      access: MANAGE,
      params: idParams,
      api: facts(
        'Answer for the address of somebody by hand; on record',
        'write',
        z.object({ status: z.enum(['active', 'pending_approval']) }),
      ),
      handler: async ({ actor, params }) => {
        const { status } = await confirm.byHand(actor, await attemptOf(params.id));
        return json({ status });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/unconfirmed/:id/resend`,
      access: MANAGE,
      params: idParams,
      api: facts('Send the code and the link once more', 'write', z.object({ sent: z.boolean() })),
      handler: async ({ actor, params }) => {
        await confirm.resendByHand(actor, await attemptOf(params.id));
        return json({ sent: true });
      },
    }),
    route({
      method: 'delete',
      path: `${ROOT}/unconfirmed/:id`,
      access: MANAGE,
      params: idParams,
      api: {
        summary: 'End an unfinished sign-up; its place is free again',
        tag: 'Invitation keys',
        scope: 'invitation-keys:write',
        responses: { 204: { description: 'Ended' } },
      },
      handler: async ({ actor, params }) => {
        await approvals.dismiss(actor, params.id);
        return empty();
      },
    }),
  ];
}

const candidateJson = (
  host: Host,
  { redemption, key, name, email, answers }: Candidate,
  locale: string,
): z.infer<typeof candidateSchema> => ({
  id: redemption.id,
  keyId: key.id,
  name,
  email,
  how: redemption.how,
  userId: redemption.userId,
  answers: answered(host, key.carries, answers, locale).map(({ question, answer }) => ({ question, answer })),
  at: new Date(redemption.at).toISOString(),
  heldUntil: redemption.holdUntil === null ? null : new Date(redemption.holdUntil).toISOString(),
});
