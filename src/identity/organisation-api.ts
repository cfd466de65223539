import { empty, json } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import { NotFoundError } from '../shared/errors.ts';
import { answers } from './api-answers.ts';
import { entityJson, groupDetailJson, groupJson, profileJson } from './identity-api-presenter.ts';
import * as schema from './identity-api-schemas.ts';
import type { IdentityServices } from './identity-services.ts';

const tag = 'Organisation';
const reading = { tag, scope: 'users:read' };
const writing = { tag, scope: 'users:write' };
const mayReadPeople = { right: 'user.read' };
const mayManageGroups = { right: 'group.manage' };
const mayManageEntities = { right: 'entity.manage' };
const mayManageProfiles = { right: 'profile.manage' };

/** `/api/v1/groups`. */
export function groupApi({ groupAdmin }: Pick<IdentityServices, 'groupAdmin'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/groups',
      access: mayReadPeople,
      api: {
        summary: 'List groups',
        ...reading,
        responses: answers(200, 'All groups', schema.itemsOf(schema.groupSchema)),
      },
      handler: async ({ actor }) => json({ items: (await groupAdmin.list(actor)).map(groupJson) }),
    }),
    route({
      method: 'post',
      path: '/api/v1/groups',
      access: mayManageGroups,
      body: schema.createGroupBody,
      api: {
        summary: 'Create a group',
        ...writing,
        responses: answers(201, 'The group', schema.groupSchema),
      },
      handler: async ({ actor, body }) =>
        json(groupJson(await groupAdmin.create(actor, body)), { status: 201 }),
    }),
    route({
      method: 'get',
      path: '/api/v1/groups/:id',
      access: mayReadPeople,
      params: schema.idParam,
      api: {
        summary: 'Show a group',
        ...reading,
        responses: answers(200, 'The group and its members', schema.groupDetailSchema),
      },
      handler: async ({ actor, params: { id } }) => json(groupDetailJson(await groupAdmin.view(actor, id))),
    }),
    route({
      method: 'patch',
      path: '/api/v1/groups/:id',
      access: mayManageGroups,
      params: schema.idParam,
      body: schema.patchGroupBody,
      api: {
        summary: 'Rename a group',
        ...writing,
        responses: answers(200, 'The group as it is now', schema.groupDetailSchema),
      },
      handler: async ({ actor, params: { id }, body }) => {
        await groupAdmin.rename(actor, id, body);
        return json(groupDetailJson(await groupAdmin.view(actor, id)));
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/groups/:id',
      access: mayManageGroups,
      params: schema.idParam,
      api: { summary: 'Delete a group', ...writing, responses: answers(204, 'It is gone') },
      handler: async ({ actor, params: { id } }) => {
        await groupAdmin.remove(actor, id);
        return empty();
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/groups/:id/members',
      access: 'signed-in',
      params: schema.idParam,
      body: schema.memberBody,
      api: {
        summary: 'Add a member',
        ...writing,
        responses: answers(201, 'The group and its members', schema.groupDetailSchema),
      },
      handler: async ({ actor, params: { id }, body: { userId } }) => {
        await groupAdmin.addMember(actor, id, userId);
        return json(groupDetailJson(await groupAdmin.view(actor, id)), { status: 201 });
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/groups/:id/members/:userId',
      access: 'signed-in',
      params: schema.memberParam,
      api: { summary: 'Remove a member', ...writing, responses: answers(204, 'They have left') },
      handler: async ({ actor, params: { id, userId } }) => {
        await groupAdmin.removeMember(actor, id, userId);
        return empty();
      },
    }),
  ];
}

/** `/api/v1/entities`. */
export function entityApi({ entityAdmin }: Pick<IdentityServices, 'entityAdmin'>): Route[] {
  async function shown(id: string): Promise<object> {
    const tree = await entityAdmin.tree();
    const entity = tree.get(id);
    if (!entity) throw new NotFoundError('entity.not-found');
    return entityJson(entity, tree);
  }

  return [
    route({
      method: 'get',
      path: '/api/v1/entities',
      access: mayReadPeople,
      api: {
        summary: 'List entities',
        ...reading,
        responses: answers(200, 'The tree, parents first', schema.itemsOf(schema.entitySchema)),
      },
      handler: async ({ actor }) => {
        const tree = await entityAdmin.tree();
        const where = actor.entitiesWith('user.read');
        const visible = tree.all().filter(({ id }) => where === 'all' || where.includes(id));
        return json({ items: visible.map((entity) => entityJson(entity, tree)) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/entities',
      access: mayManageEntities,
      body: schema.createEntityBody,
      api: {
        summary: 'Create an entity',
        ...writing,
        responses: answers(201, 'The entity', schema.entitySchema),
      },
      handler: async ({ actor, body }) =>
        json(await shown((await entityAdmin.create(actor, body)).id), { status: 201 }),
    }),
    route({
      method: 'patch',
      path: '/api/v1/entities/:id',
      access: mayManageEntities,
      params: schema.idParam,
      body: schema.patchEntityBody,
      api: {
        summary: 'Rename an entity, or move it',
        description: 'One of both at a time; everything below moves along.',
        ...writing,
        responses: answers(200, 'The entity as it is now', schema.entitySchema),
      },
      handler: async ({ actor, params: { id }, body: { version, name, parentId } }) => {
        if (name !== undefined) await entityAdmin.rename(actor, id, { name, version });
        if (parentId !== undefined)
          await entityAdmin.move(actor, id, {
            parentId,
            version: name === undefined ? version : version + 1,
          });
        return json(await shown(id));
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/entities/:id',
      access: mayManageEntities,
      params: schema.idParam,
      api: { summary: 'Delete an empty entity', ...writing, responses: answers(204, 'It is gone') },
      handler: async ({ actor, params: { id } }) => {
        await entityAdmin.remove(actor, id);
        return empty();
      },
    }),
  ];
}

/** `/api/v1/profiles`. */
export function profileApi({ profileAdmin }: Pick<IdentityServices, 'profileAdmin'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/profiles',
      access: mayReadPeople,
      api: {
        summary: 'List profiles',
        ...reading,
        responses: answers(200, 'All profiles', schema.itemsOf(schema.profileSchema)),
      },
      handler: async () => json({ items: (await profileAdmin.list()).map(profileJson) }),
    }),
    route({
      method: 'post',
      path: '/api/v1/profiles',
      access: mayManageProfiles,
      body: schema.createProfileBody,
      api: {
        summary: 'Create a profile',
        ...writing,
        responses: answers(201, 'The profile', schema.profileSchema),
      },
      handler: async ({ actor, body }) =>
        json(profileJson(await profileAdmin.create(actor, body)), { status: 201 }),
    }),
    route({
      method: 'patch',
      path: '/api/v1/profiles/:id',
      access: mayManageProfiles,
      params: schema.idParam,
      body: schema.patchProfileBody,
      api: {
        summary: 'Change a profile of your own',
        ...writing,
        responses: answers(200, 'The profile as it is now', schema.profileSchema),
      },
      handler: async ({ actor, params: { id }, body: { version, ...edit } }) => {
        const { name, kind, rights } = await profileAdmin.get(id);
        const { name: newName = name, kind: newKind = kind, rights: newRights = rights } = edit;
        await profileAdmin.update(actor, id, { version, name: newName, kind: newKind, rights: newRights });
        return json(profileJson(await profileAdmin.get(id)));
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/profiles/:id',
      access: mayManageProfiles,
      params: schema.idParam,
      api: { summary: 'Delete a profile that nobody has', ...writing, responses: answers(204, 'It is gone') },
      handler: async ({ actor, params: { id } }) => {
        await profileAdmin.remove(actor, id);
        return empty();
      },
    }),
  ];
}
