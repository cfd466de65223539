import { empty, json } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import { ForbiddenError } from '../shared/errors.ts';
import { answers } from './api-answers.ts';
import { identityJson, passkeyJson, tokenJson, userDetailJson } from './identity-api-presenter.ts';
import * as schema from './identity-api-schemas.ts';
import type { IdentityServices } from './identity-services.ts';

const tag = 'My account';
/** A token that may make tokens may do everything, so it must say so. */
const everything = { tag, scope: '*' };

/** `/api/v1/me`: whoever the token speaks for. */
export function meApi({
  users,
  accounts,
  memberships,
  accessTokens,
  passkeys,
  identityLinks,
  rights,
}: Pick<
  IdentityServices,
  'users' | 'accounts' | 'memberships' | 'accessTokens' | 'passkeys' | 'identityLinks' | 'rights'
>): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/me',
      access: 'signed-in',
      api: {
        summary: 'Who the token speaks for',
        tag,
        responses: answers(200, 'The person and their rights', schema.meSchema),
      },
      handler: async ({ actor }) => {
        const user = await accounts.own(actor);
        const [grants, groups] = [await memberships.grantsOf(user.id), await memberships.groupsOf(user.id)];
        const held = rights.all().filter(({ id }) => actor.can(id));
        return json({
          ...userDetailJson(user, { grants, groups, attributes: await users.attributesOf(user.id) }),
          theme: user.theme,
          rights: held.map(({ id }) => id),
        });
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/me/tokens',
      access: 'signed-in',
      api: {
        summary: 'List your API tokens',
        ...everything,
        responses: answers(200, 'Your tokens', schema.itemsOf(schema.tokenSchema)),
      },
      handler: async ({ actor }) => {
        const tokens = await accessTokens.listOf(actor, ownId(actor.userId));
        return json({ items: tokens.map(tokenJson) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/me/tokens',
      access: 'signed-in',
      body: schema.createTokenBody,
      api: {
        summary: 'Create an API token',
        description: '`token` is in this answer and nowhere else.',
        ...everything,
        responses: answers(201, 'The token', schema.createdTokenSchema),
      },
      handler: async ({ actor, body: { expiresAt, ...draft } }) => {
        const wanted = { ...draft, expiresAt: Date.parse(expiresAt) };
        const { token, secret } = await accessTokens.create(actor, ownId(actor.userId), wanted);
        return json({ ...tokenJson(token), token: secret }, { status: 201 });
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/me/tokens/:id',
      access: 'signed-in',
      params: schema.idParam,
      api: { summary: 'Withdraw an API token', ...everything, responses: answers(204, 'It no longer works') },
      handler: async ({ actor, params: { id } }) => {
        await accessTokens.revoke(actor, id);
        return empty();
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/me/passkeys',
      access: 'signed-in',
      api: {
        summary: 'List your passkeys',
        description: 'One is added in a browser only, by the device that keeps it.',
        ...everything,
        responses: answers(200, 'Your passkeys', schema.itemsOf(schema.passkeySchema)),
      },
      handler: async ({ actor }) =>
        json({ items: (await passkeys.list(ownId(actor.userId))).map(passkeyJson) }),
    }),
    route({
      method: 'patch',
      path: '/api/v1/me/passkeys/:id',
      access: 'signed-in',
      params: schema.idParam,
      body: schema.renamePasskeyBody,
      api: {
        summary: 'Give a passkey another name',
        ...everything,
        responses: answers(200, 'Your passkeys', schema.itemsOf(schema.passkeySchema)),
      },
      handler: async ({ actor, params: { id }, body: { name } }) => {
        const user = await accounts.own(actor);
        await passkeys.rename(actor, user, id, name);
        return json({ items: (await passkeys.list(user.id)).map(passkeyJson) });
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/me/passkeys/:id',
      access: 'signed-in',
      params: schema.idParam,
      api: {
        summary: 'Remove a passkey',
        description: 'The last way in stays: without a password the last passkey cannot go.',
        ...everything,
        responses: answers(204, 'It no longer signs in'),
      },
      handler: async ({ actor, params: { id } }) => {
        await passkeys.remove(actor, await accounts.own(actor), id);
        return empty();
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/me/identities',
      access: 'signed-in',
      api: {
        summary: 'List the accounts of elsewhere that you sign in with',
        description: 'One is linked in a browser only, at its provider.',
        ...everything,
        responses: answers(200, 'Your linked identities', schema.itemsOf(schema.identitySchema)),
      },
      handler: async ({ actor }) =>
        json({ items: (await identityLinks.list(ownId(actor.userId))).map(identityJson) }),
    }),
    route({
      method: 'delete',
      path: '/api/v1/me/identities/:id',
      access: 'signed-in',
      params: schema.idParam,
      api: {
        summary: 'Unlink an account of elsewhere',
        description: 'The last way in stays. You are told by mail.',
        ...everything,
        responses: answers(204, 'It no longer signs in'),
      },
      handler: async ({ actor, params: { id } }) => {
        await identityLinks.unlink(actor, await accounts.own(actor), id);
        return empty();
      },
    }),
  ];
}

function ownId(userId: string | null): string {
  if (userId === null) throw new ForbiddenError('access-token.not-yours');
  return userId;
}
