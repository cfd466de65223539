import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import type { KnownError } from '../shared/errors.ts';
import { categoryEditForm, categoryForm, idParam, typedFrom, typedText } from './ticket-forms.ts';
import type { TicketServices } from './ticket-services.ts';

const access = { right: 'category.manage' };

/** `/admin/categories`. */
export function categoryRoutes(services: TicketServices): Route[] {
  const { categories } = services;
  return [
    route({
      method: 'get',
      path: '/admin/categories',
      access,
      handler: ({ actor }) => categoriesPage(services, actor),
    }),
    route({
      method: 'post',
      path: '/admin/categories',
      access,
      body: categoryForm,
      handler: async ({ actor, body }) => {
        await categories.create(actor, body);
        return redirect('/admin/categories', {
          flash: { kind: 'success', code: 'tickets:flash.category-created' },
        });
      },
      onRefused: ({ actor, body }, error) => categoriesPage(services, actor, { body, error }),
    }),
    route({
      method: 'post',
      path: '/admin/categories/:id',
      access,
      params: idParam,
      body: categoryEditForm,
      handler: async ({ actor, params, body }) => {
        await categories.update(actor, params.id, body);
        return redirect('/admin/categories', {
          flash: { kind: 'success', code: 'tickets:flash.category-saved' },
        });
      },
      onRefused: ({ actor }, error) => categoriesPage(services, actor, { body: {}, error }),
    }),
  ];
}

async function categoriesPage(
  { categories, people }: TicketServices,
  actor: Actor,
  refused?: { body: unknown; error: KnownError },
): Promise<Reply> {
  const [managed, entities] = await Promise.all([categories.listManaged(actor), people.entities()]);
  const paths = new Map(entities.map(({ id, path }) => [id, path]));
  const typed = typedFrom(refused?.body);
  return view('tickets/categories', {
    categories: managed.map((category) => ({ ...category, entity: paths.get(category.entityId) ?? '?' })),
    entities: entities
      .filter(({ id }) => actor.can('category.manage', id))
      .map(({ id, path }) => ({ value: id, label: path, selected: id === typedText(typed['entityId']) })),
    name: typedText(typed['name']),
    errors: refused?.error.fields ?? [],
    message: refused && refused.error.fields.length === 0 ? refused.error.code : null,
  });
}
