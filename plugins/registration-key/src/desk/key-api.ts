import {
  empty,
  ForbiddenError,
  InvalidInputError,
  json,
  KnownError,
  route,
  z,
  type ApiFacts,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { saidOnTheWay } from '../carries/said-on-the-way.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { HumanCheck } from '../join/human-check.ts';
import type { JoinService } from '../join/join-service.ts';
import type { KeyDoor, Opened } from '../keys/key-door.ts';
import {
  draftFrom,
  editBody,
  keyJson,
  keySchema,
  mintBody,
  redemptionJson,
  redemptionSchema,
  shownKeySchema,
} from './key-json.ts';
import { sorts, states, tabOrState, tabs } from '../keys/key-filter.ts';
import type { KeyService, ShownKey } from '../keys/key-service.ts';
import type { RedeemService } from '../join/redeem-service.ts';
import type { StepWalk } from '../steps/step-walk.ts';
import { listRedemptions } from '../seats/redemption-repository.ts';
import { assertNewAccountsAllowed, assertOpen } from '../seats/refusal.ts';

interface Deps {
  host: Host;
  door: KeyDoor;
  keys: KeyService;
  redeem: RedeemService;
  join: JoinService;
  humans: HumanCheck;
  walk: StepWalk;
}

const ROOT = '/api/v1/invitation-keys';
const tag = 'Invitation keys';
const idParams = z.object({ id: z.string().max(40) });
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
});
const listQuery = pageQuery.extend({
  status: z.enum([...tabs, ...states]).default('all'),
  sort: z.enum(sorts).default('newest'),
  search: z.string().max(120).default(''),
});
const deleteQuery = z.object({ keepHistory: z.enum(['true', 'false']).default('false') });
const pageOf = (items: z.ZodType): z.ZodType =>
  z.object({ items: z.array(items), page: z.int(), perPage: z.int(), total: z.int() });

const checkBody = z.strictObject({ key: z.string().max(400) });
const checkSchema = z.object({
  valid: z.boolean(),
  code: z.string().optional(),
  group: z.int().optional(),
  organisation: z.string().optional(),
  expiresAt: z.string().nullable().optional(),
  requiresEmailProof: z.boolean().optional(),
  requiresApproval: z.boolean().optional(),
});

/** Exactly what a newcomer may say. Profile, groups and approval come from the key; whoever sends them is told so. */
const joinBody = z.strictObject({
  key: z.string().max(400),
  redeemId: z.uuid(),
  email: z.string().max(320),
  name: z.string().max(300),
  password: z.string().max(1024),
  locale: z.enum(['en', 'fr']).optional(),
  answers: z.record(z.string(), z.string().max(1000)).optional(),
  /** Steps that were shown and agreed to, `<id>@<edition>`; without them 409 names what is missing. */
  accepted: z.array(z.string().max(120)).max(50).optional(),
  /** Answers to `POST /api/v1/join/checks`, by field. */
  checks: z.record(z.string().max(60), z.string().max(2000)).optional(),
});
/** Whoever holds the token has a name, an address and a way in already. */
const addBody = joinBody.pick({ key: true, answers: true, accepted: true });
const addSchema = z.object({
  status: z.enum(['joined', 'already', 'nothing-new', 'waiting']),
  entity: z.string(),
});
const checksBody = z.strictObject({ key: z.string().max(400), redeemId: z.uuid() });
const checksSchema = z.object({
  checks: z.array(
    z.object({ provider: z.string(), challenge: z.record(z.string(), z.union([z.string(), z.number()])) }),
  ),
});
const joinSchema = z.object({ status: z.enum(['active', 'pending_email', 'pending_approval']) });

const facts = (
  summary: string,
  scope: 'read' | 'write' | 'reveal',
  schema: z.ZodType,
  status = 200,
): ApiFacts => ({
  summary,
  tag,
  scope: `invitation-keys:${scope}`,
  responses: { [status]: { description: summary, schema } },
});

/** `/api/v1/invitation-keys` and `/api/v1/join`. */
export function keyApi({ host, door, keys, redeem, join, humans, walk }: Deps): Route[] {
  const one = async (key: InvitationKey): Promise<Reply> => json((await keyJson(host, [key]))[0]);
  const shown = async ({ key, text, url }: ShownKey, status = 200): Promise<Reply> =>
    json({ ...(await keyJson(host, [key]))[0], key: text, url }, { status });

  const minted = (made: ShownKey): Promise<Reply> => shown(made, made.isReused === true ? 200 : 201);

  const action = (name: 'pause' | 'resume' | 'revoke' | 'restore', summary: string): Route =>
    route({
      method: 'post',
      path: `${ROOT}/:id/${name}`,
      access: 'signed-in',
      params: idParams,
      api: facts(summary, 'write', keySchema),
      handler: async ({ actor, params }) => one(await keys[name](actor, params.id)),
    });

  async function redeemByApi({
    body,
    network,
    locale,
  }: Incoming<unknown, unknown, z.infer<typeof joinBody>>): Promise<Reply> {
    const { key, copyId = null } = await door.open(body.key, network);
    try {
      const answers = await join.answersFrom(key, typedIn(body), locale);
      const form = {
        redeemId: body.redeemId,
        email: body.email,
        name: body.name,
        password: body.password,
        locale: body.locale ?? locale,
        answers,
        accepted: body.accepted ?? [],
      };
      const { status } = await redeem.redeem(key, form, {
        browser: null,
        mailing: null,
        network,
        copyId,
        check: { answers: body.checks ?? {}, binding: body.redeemId },
      });
      return json({ status }, { status: 201 });
    } catch (error) {
      if (error instanceof KnownError && error.code.startsWith('invitation.'))
        await join.recordRefusal(key, error.code, network);
      throw error;
    }
  }

  /** The same as one button on the join page: a seat of the key, its groups and its place, and no second account. */
  async function addByApi({
    actor: { userId },
    body,
    network,
    locale,
  }: Incoming<unknown, unknown, z.infer<typeof addBody>>): Promise<Reply> {
    if (userId === null) throw new ForbiddenError('access.right');
    const { key, copyId = null } = await door.open(body.key, network);
    const accepted = body.accepted ?? [];
    try {
      await walk.assertWalked(key, { browser: null, accepted }, locale);
      const answers = await join.answersFrom(key, typedIn(body), locale, { hasAccount: true });
      const status = await redeem.addToAccount(key, { userId }, { network, copyId, answers });
      const isNew = status === 'joined' || status === 'waiting';
      if (isNew) await walk.agreed(key, { accepted, userId }, locale);
      return json({ status, entity: key.entityId }, { status: isNew ? 201 : 200 });
    } catch (error) {
      if (error instanceof KnownError && error.code.startsWith('invitation.'))
        await join.recordRefusal(key, error.code, network);
      throw error;
    }
  }

  return [
    route({
      method: 'post',
      path: ROOT,
      access: 'signed-in',
      body: mintBody,
      api: {
        ...facts('Make an invitation key; its text is in this answer only', 'write', shownKeySchema, 201),
        responses: {
          201: { description: 'Made', schema: shownKeySchema },
          200: { description: 'With `reuse`: the open key with the same settings', schema: shownKeySchema },
        },
      },
      handler: async ({ actor, body }) => minted(await keys.mint(actor, draftFrom(body))),
    }),
    route({
      method: 'get',
      path: ROOT,
      access: 'signed-in',
      query: listQuery,
      api: facts('Invitation keys, newest first', 'read', pageOf(keySchema)),
      handler: async ({ actor, query: { status, search, sort, ...page } }) => {
        if (!actor.can('registration-key.invite')) assertMayList(actor);
        const found = await keys.list(actor, { ...tabOrState(status), search, sort }, page);
        return json({ ...found, items: await keyJson(host, found.items) });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/check`,
      access: 'public',
      body: checkBody,
      api: {
        summary: 'Whether a key would open, without using it',
        tag,
        responses: { 200: { description: 'Valid, or why not', schema: checkSchema } },
      },
      handler: async ({ body, network }) => json(await checked({ host, door }, body.key, network)),
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      api: facts('One invitation key', 'read', keySchema),
      handler: async ({ actor, params }) => one(await keys.get(actor, params.id)),
    }),
    route({
      method: 'patch',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      body: editBody,
      api: facts('Change a key; `version` must be the one that was read', 'write', keySchema),
      handler: async ({ actor, params, body: { version, ...changes } }) =>
        one(await keys.edit(actor, params.id, version, draftFrom(changes))),
    }),
    route({
      method: 'delete',
      path: `${ROOT}/:id`,
      access: 'signed-in',
      params: idParams,
      query: deleteQuery,
      api: {
        summary:
          'Delete a key that nobody has used; with `keepHistory=true` also one that was, which leaves every list and keeps its history',
        tag,
        scope: 'invitation-keys:write',
        responses: { 204: { description: 'Gone' } },
      },
      handler: async ({ actor, params, query }) => {
        await keys.remove(actor, params.id, { keepHistory: query.keepHistory === 'true' });
        return empty();
      },
    }),
    action('pause', 'Let nobody in for now'),
    action('resume', 'Let people in again'),
    action('revoke', 'Close a key'),
    action('restore', 'Take back a revocation'),
    route({
      method: 'post',
      path: `${ROOT}/:id/rotate`,
      access: 'signed-in',
      params: idParams,
      api: facts('Replace the secret; the old link is dead', 'write', shownKeySchema),
      handler: async ({ actor, params }) => shown(await keys.rotate(actor, params.id)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/reveal`,
      access: 'signed-in',
      params: idParams,
      api: facts('Show the link again; audited', 'reveal', shownKeySchema),
      handler: async ({ actor, params }) => shown(await keys.reveal(actor, params.id)),
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/redemptions`,
      access: 'signed-in',
      params: idParams,
      query: pageQuery,
      api: facts('Who took a seat of this key', 'read', pageOf(redemptionSchema)),
      handler: async ({ actor, params, query }) => {
        const key = await keys.get(actor, params.id);
        const found = await listRedemptions(host.db, { keyId: key.id }, query);
        const names = await host.users.named(
          found.items.flatMap(({ userId }) => (userId === null ? [] : [userId])),
        );
        const said = await saidOnTheWay(host.db, key.id, found.items);
        const items = found.items.map((one) => redemptionJson(one, names, said.get(one.seat)));
        return json({ ...found, items });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/join/checks',
      access: 'public',
      body: checksBody,
      api: {
        summary: 'What has to be answered before joining, for this key and this redeem id',
        tag,
        responses: { 200: { description: 'The checks; none for most keys', schema: checksSchema } },
      },
      handler: async ({ body, network }) => {
        const { key } = await door.open(body.key, network);
        return json({ checks: await humans.challengesFor(key, body.redeemId) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/join',
      access: 'public',
      body: joinBody,
      api: {
        summary: 'Join with an invitation key',
        description:
          'Sending the same form again with the same `redeemId` gives the same answer and takes no second seat.',
        tag,
        responses: { 201: { description: 'Joined, or what is still missing', schema: joinSchema } },
      },
      handler: redeemByApi,
    }),
    route({
      method: 'post',
      path: '/api/v1/join/me',
      access: 'signed-in',
      body: addBody,
      api: {
        summary: 'Add what an invitation key gives to the account of this token',
        description:
          'No second account. Asked again, it answers `already`; where it would add nothing to the account, `nothing-new`. Neither takes a seat.',
        tag,
        scope: 'join:write',
        responses: {
          200: {
            description: 'They had joined by this key before, or have all of it already',
            schema: addSchema,
          },
          201: { description: 'Joined, or waiting for an administrator', schema: addSchema },
        },
      },
      handler: addByApi,
    }),
  ];
}

/** Answers as the form sends them. */
const typedIn = ({ answers = {} }: Pick<z.infer<typeof joinBody>, 'answers'>): Record<string, string> =>
  Object.fromEntries(Object.entries(answers).map(([name, answer]) => [`answer-${name}`, answer]));

function assertMayList(actor: Incoming['actor']): void {
  if (!actor.can('registration-key.read')) throw new ForbiddenError('access.right');
}

/** The same answer whatever is asked; no GET, no seat, no mail. Only who holds a key that exists learns more. */
async function checked(
  { host, door }: Pick<Deps, 'host' | 'door'>,
  typed: string,
  network: string,
): Promise<z.infer<typeof checkSchema>> {
  try {
    const { key }: Opened = await door.open(typed, network);
    await assertNewAccountsAllowed(host);
    assertOpen(key, host.clock.now());
    const { organisation } = await host.site();
    return {
      valid: true,
      organisation,
      expiresAt: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
      requiresEmailProof: key.emailProof === 'required',
      requiresApproval: key.approval === 'manual',
    };
  } catch (error) {
    if (!(error instanceof KnownError) || !error.code.startsWith('invitation.')) throw error;
    const group = error instanceof InvalidInputError ? Number(error.params['group'] ?? 0) : 0;
    return { valid: false, code: error.code, ...(group > 0 ? { group } : {}) };
  }
}
