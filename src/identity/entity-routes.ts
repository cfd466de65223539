import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import { NotFoundError, type KnownError } from '../shared/errors.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import type { EntityService } from './entity-service.ts';
import { refusalOf, typedIn } from './form.ts';
import { entityOptions } from './options.ts';

const ENTITIES = '/admin/entities';
const access = { right: 'entity.manage' };
const params = z.object({ id: z.string().min(1).max(40) });
const newForm = z.object({ name: z.string().max(200), parentId: z.string().min(1).max(40) });
const renameForm = z.object({ name: z.string().max(200), version: z.coerce.number().int() });
const moveForm = z.object({ parentId: z.string().min(1).max(40), version: z.coerce.number().int() });

/** The organisation as a tree. */
export function entityRoutes({ entityAdmin }: { entityAdmin: EntityService }): Route[] {
  const pathOf = (id: string): string => `${ENTITIES}/${id}`;

  async function list({ actor, body }: Incoming, error?: KnownError): Promise<Reply> {
    const tree = await entityAdmin.tree();
    const where = actor.entitiesWith('entity.manage');
    const managed = tree.all().filter(({ id }) => where === 'all' || where.includes(id));
    return view('admin/entities/list', {
      entities: managed.map((entity) => ({
        ...entity,
        href: pathOf(entity.id),
        fullName: tree.fullName(entity.id),
        depth: tree.depthOf(entity.id),
      })),
      parents: entityOptions(tree, managed),
      form: { parentId: ROOT_ENTITY_ID, ...typedIn(body, ['name', 'parentId']) },
      ...refusalOf(error),
    });
  }

  async function detail(incoming: Incoming, error?: KnownError): Promise<Reply> {
    const { id } = params.parse(incoming.params);
    const tree = await entityAdmin.tree();
    const entity = tree.get(id);
    if (!entity || !incoming.actor.can('entity.manage', id)) throw new NotFoundError('entity.not-found');
    const where = incoming.actor.entitiesWith('entity.manage');
    const places = tree
      .all()
      .filter((one) => (where === 'all' || where.includes(one.id)) && !tree.isWithin(one.id, id));
    return view('admin/entities/detail', {
      entity,
      href: pathOf(id),
      fullName: tree.fullName(id),
      isRoot: id === ROOT_ENTITY_ID,
      children: tree.childrenOf(id).map((child) => ({ ...child, href: pathOf(child.id) })),
      parents: entityOptions(tree, places),
      form: { name: entity.name, parentId: entity.parentId, ...typedIn(incoming.body, ['name', 'parentId']) },
      ...refusalOf(error),
    });
  }

  return [
    route({ method: 'get', path: ENTITIES, access, handler: (incoming) => list(incoming) }),
    route({
      method: 'post',
      path: ENTITIES,
      access,
      body: newForm,
      onRefused: list,
      handler: async ({ actor, body }) => {
        await entityAdmin.create(actor, body);
        return redirect(ENTITIES, { flash: { kind: 'success', code: 'identity:flash.entity-created' } });
      },
    }),
    route({
      method: 'get',
      path: `${ENTITIES}/:id`,
      access,
      params,
      handler: (incoming) => detail(incoming),
    }),
    route({
      method: 'post',
      path: `${ENTITIES}/:id`,
      access,
      params,
      body: renameForm,
      onRefused: detail,
      handler: async ({ actor, params: { id }, body }) => {
        await entityAdmin.rename(actor, id, body);
        return redirect(pathOf(id), { flash: { kind: 'success', code: 'identity:flash.saved' } });
      },
    }),
    route({
      method: 'post',
      path: `${ENTITIES}/:id/move`,
      access,
      params,
      body: moveForm,
      onRefused: detail,
      handler: async ({ actor, params: { id }, body }) => {
        await entityAdmin.move(actor, id, body);
        return redirect(pathOf(id), { flash: { kind: 'success', code: 'identity:flash.entity-moved' } });
      },
    }),
    route({
      method: 'post',
      path: `${ENTITIES}/:id/remove`,
      access,
      params,
      onRefused: detail,
      handler: async ({ actor, params: { id } }) => {
        await entityAdmin.remove(actor, id);
        return redirect(ENTITIES, { flash: { kind: 'success', code: 'identity:flash.entity-removed' } });
      },
    }),
  ];
}
