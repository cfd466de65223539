import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import { InvalidInputError, type KnownError } from '../shared/errors.ts';
import type { Directory } from './directory.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import { refusalOf, ticked, typedIn } from './form.ts';
import type { GroupService } from './group-service.ts';
import { entityOptions } from './options.ts';
import type { UserService } from './user-service.ts';

interface Deps {
  directory: Directory;
  users: UserService;
  groupAdmin: GroupService;
}

const GROUPS = '/admin/groups';
const params = z.object({ id: z.string().min(1).max(40) });
const memberParams = params.extend({ userId: z.string().min(1).max(40) });
const newForm = z.object({ name: z.string().max(200), entityId: z.string().min(1).max(40) });
const editForm = z.object({ name: z.string().max(200), version: z.coerce.number().int() });
const memberForm = z.object({ email: z.string().min(1).max(320) });
const managerForm = z.object({ isManager: ticked });

/** Teams and who is in them. A group's own managers come here too, for their members. */
export function groupRoutes({ directory, users, groupAdmin }: Deps): Route[] {
  const pathOf = (id: string): string => `${GROUPS}/${id}`;

  async function list({ actor, body }: Incoming, error?: KnownError): Promise<Reply> {
    const { tree } = await directory.snapshot();
    const groups = await groupAdmin.list(actor);
    const where = actor.entitiesWith('group.manage');
    return view('admin/groups/list', {
      groups: groups.map((group) => ({
        ...group,
        path: pathOf(group.id),
        entity: tree.fullName(group.entityId),
      })),
      entities: entityOptions(
        tree,
        tree.all().filter(({ id }) => where === 'all' || where.includes(id)),
      ),
      form: { entityId: ROOT_ENTITY_ID, ...typedIn(body, ['name', 'entityId']) },
      mayManage: actor.can('group.manage'),
      ...refusalOf(error),
    });
  }

  async function detail(incoming: Incoming, error?: KnownError): Promise<Reply> {
    const { id } = params.parse(incoming.params);
    const found = await groupAdmin.view(incoming.actor, id);
    const { tree } = await directory.snapshot();
    return view('admin/groups/detail', {
      ...found,
      path: pathOf(id),
      entity: tree.fullName(found.group.entityId),
      form: { name: found.group.name, ...typedIn(incoming.body, ['name', 'email']) },
      ...refusalOf(error),
    });
  }

  return [
    route({
      method: 'get',
      path: GROUPS,
      access: { right: 'user.read' },
      handler: (incoming) => list(incoming),
    }),
    route({
      method: 'post',
      path: GROUPS,
      access: { right: 'group.manage' },
      body: newForm,
      onRefused: list,
      handler: async ({ actor, body }) => {
        const { id } = await groupAdmin.create(actor, body);
        return redirect(pathOf(id), { flash: { kind: 'success', code: 'identity:flash.group-created' } });
      },
    }),
    route({
      method: 'get',
      path: `${GROUPS}/:id`,
      access: 'signed-in',
      params,
      handler: (incoming) => detail(incoming),
    }),
    route({
      method: 'post',
      path: `${GROUPS}/:id`,
      access: { right: 'group.manage' },
      params,
      body: editForm,
      onRefused: detail,
      handler: async ({ actor, params: { id }, body }) => {
        await groupAdmin.rename(actor, id, body);
        return redirect(pathOf(id), { flash: { kind: 'success', code: 'identity:flash.saved' } });
      },
    }),
    route({
      method: 'post',
      path: `${GROUPS}/:id/remove`,
      access: { right: 'group.manage' },
      params,
      onRefused: detail,
      handler: async ({ actor, params: { id } }) => {
        await groupAdmin.remove(actor, id);
        return redirect(GROUPS, { flash: { kind: 'success', code: 'identity:flash.group-removed' } });
      },
    }),
    route({
      method: 'post',
      path: `${GROUPS}/:id/members`,
      access: 'signed-in',
      params,
      body: memberForm,
      onRefused: detail,
      handler: async ({ actor, params: { id }, body: { email } }) => {
        const person = await users.findByEmail(email);
        if (!person)
          throw new InvalidInputError('input.invalid', {
            fields: [{ field: 'email', code: 'user.not-found' }],
          });
        await groupAdmin.addMember(actor, id, person.id);
        return redirect(`${pathOf(id)}#members`, {
          flash: { kind: 'success', code: 'identity:flash.member-added' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${GROUPS}/:id/members/:userId/remove`,
      access: 'signed-in',
      params: memberParams,
      onRefused: detail,
      handler: async ({ actor, params: { id, userId } }) => {
        await groupAdmin.removeMember(actor, id, userId);
        return redirect(`${pathOf(id)}#members`, {
          flash: { kind: 'success', code: 'identity:flash.member-removed' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${GROUPS}/:id/members/:userId/manager`,
      access: { right: 'group.manage' },
      params: memberParams,
      body: managerForm,
      onRefused: detail,
      handler: async ({ actor, params: { id, userId }, body: { isManager } }) => {
        await groupAdmin.setManager(actor, id, { userId, isManager });
        return redirect(`${pathOf(id)}#members`, {
          flash: { kind: 'success', code: 'identity:flash.saved' },
        });
      },
    }),
  ];
}
