import type { Database } from '../db/database.ts';
import { empty, json } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import { NotFoundError } from '../shared/errors.ts';
import { answers } from './api-answers.ts';
import { identityJson, passkeyJson, userDetailJson, userJson } from './identity-api-presenter.ts';
import * as schema from './identity-api-schemas.ts';
import type { IdentityServices } from './identity-services.ts';

const tag = 'People';
const reading = { tag, scope: 'users:read' };
const writing = { tag, scope: 'users:write' };
const mayRead = { right: 'user.read' };
const mayManage = { right: 'user.manage' };
const mayGrant = { right: 'grant.manage' };

/** `/api/v1/users`. */
export function userApi({
  db,
  userAdmin,
  users,
  memberships,
  accountEnds,
  passkeys,
  identityLinks,
}: Pick<
  IdentityServices,
  'userAdmin' | 'users' | 'memberships' | 'accountEnds' | 'passkeys' | 'identityLinks'
> & {
  db: Database;
}): Route[] {
  async function detail(actor: Actor, id: string): Promise<object> {
    const user = await userAdmin.get(actor, id);
    const [grants, groups] = [await memberships.grantsOf(id), await memberships.groupsOf(id)];
    return userDetailJson(user, { grants, groups, attributes: await users.attributesOf(id) });
  }

  return [
    route({
      method: 'get',
      path: '/api/v1/users',
      access: mayRead,
      query: schema.userQuery,
      api: {
        summary: 'List people',
        ...reading,
        responses: answers(200, 'A page of people', schema.pageOf(schema.userSchema)),
      },
      handler: async ({ actor, query: { page, perPage, q, ...filter } }) => {
        const found = await userAdmin.list(actor, { ...filter, search: q }, { page, perPage });
        return json({ ...found, items: found.items.map(userJson) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/users',
      access: mayManage,
      body: schema.createUserBody,
      api: {
        summary: 'Create an account',
        description: 'Without a password: send or hand over a reset link for that.',
        ...writing,
        responses: answers(201, 'The account', schema.userDetailSchema),
      },
      handler: async ({ actor, body }) => {
        const { id } = await userAdmin.create(actor, body);
        return json(await detail(actor, id), { status: 201, headers: { Location: `/api/v1/users/${id}` } });
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/users/:id',
      access: mayRead,
      params: schema.idParam,
      api: {
        summary: 'Show a person',
        ...reading,
        responses: answers(200, 'The person', schema.userDetailSchema),
      },
      handler: async ({ actor, params: { id } }) => json(await detail(actor, id)),
    }),
    route({
      method: 'patch',
      path: '/api/v1/users/:id',
      access: mayManage,
      params: schema.idParam,
      body: schema.patchUserBody,
      api: {
        summary: 'Change an account',
        description: 'Only the fields that are sent are changed; `version` must be the one that was read.',
        ...writing,
        responses: answers(200, 'The account as it is now', schema.userDetailSchema),
      },
      handler: async ({ actor, params: { id }, body: { version, status, endsAt, attributes, ...edit } }) => {
        const user = await userAdmin.get(actor, id);
        const { email = user.email, name = user.name, locale = user.locale, timeZone = user.timeZone } = edit;
        if (Object.keys(edit).length > 0)
          await userAdmin.update(actor, id, { email, name, locale, timeZone: timeZone ?? '', version });
        if (attributes !== undefined) await userAdmin.setAttributes(actor, id, withoutNulls(attributes));
        if (endsAt !== undefined)
          await accountEnds.set(actor, id, endsAt === null ? null : Date.parse(endsAt));
        if (status !== undefined) await userAdmin.setStatus(actor, id, status);
        return json(await detail(actor, id));
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/users/:id/passkeys',
      access: mayManage,
      params: schema.idParam,
      api: {
        summary: 'List the passkeys of a person',
        ...reading,
        responses: answers(200, 'Their passkeys', schema.itemsOf(schema.passkeySchema)),
      },
      handler: async ({ actor, params: { id } }) =>
        json({ items: (await passkeys.listOf(actor, id)).map(passkeyJson) }),
    }),
    route({
      method: 'delete',
      path: '/api/v1/users/:id/passkeys/:passkeyId',
      access: mayManage,
      params: schema.passkeyParam,
      api: {
        summary: 'Remove a passkey of a person who lost the device',
        description: 'They are told by mail. Whoever has no password needs a reset link afterwards.',
        ...writing,
        responses: answers(204, 'It no longer signs in'),
      },
      handler: async ({ actor, params: { id, passkeyId } }) => {
        await passkeys.removeOf(actor, id, passkeyId);
        return empty();
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/users/:id/identities',
      access: mayManage,
      params: schema.idParam,
      api: {
        summary: 'List the accounts of elsewhere that a person signs in with',
        ...reading,
        responses: answers(200, 'Their linked identities', schema.itemsOf(schema.identitySchema)),
      },
      handler: async ({ actor, params: { id } }) =>
        json({ items: (await identityLinks.listFor(actor, id)).map(identityJson) }),
    }),
    route({
      method: 'delete',
      path: '/api/v1/users/:id/identities/:identityId',
      access: mayManage,
      params: schema.identityParam,
      api: {
        summary: 'Unlink an account of elsewhere from a person',
        description: 'Their sessions and tokens end with it, and they are told by mail.',
        ...writing,
        responses: answers(204, 'It no longer signs in'),
      },
      handler: async ({ actor, params: { id, identityId } }) => {
        await identityLinks.unlinkFor(actor, id, identityId);
        return empty();
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/users/:id/grants',
      access: mayGrant,
      params: schema.idParam,
      body: schema.grantBody,
      api: {
        summary: 'Give a profile in an entity',
        description: 'A grant never gives more than its giver has.',
        ...writing,
        responses: answers(201, 'The person with all grants', schema.userDetailSchema),
      },
      handler: async ({ actor, params: { id }, body }) => {
        await userAdmin.get(actor, id);
        await db.transaction((tx) => memberships.grant(tx, { userId: id, ...body }, { actor }));
        return json(await detail(actor, id), { status: 201 });
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/users/:id/grants/:grantId',
      access: mayGrant,
      params: schema.grantParam,
      api: { summary: 'Withdraw a grant', ...writing, responses: answers(204, 'It is gone') },
      handler: async ({ actor, params: { id, grantId } }) => {
        const grants = await memberships.grantsOf(id);
        if (!grants.some((grant) => grant.id === grantId)) throw new NotFoundError('grant.not-found');
        await memberships.revoke(actor, grantId);
        return empty();
      },
    }),
  ];
}

/** Null and the empty text are one wish: forget it. */
const withoutNulls = (attributes: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, value ?? '']));
