import { z } from 'zod';
import { redirect, view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { Preference } from './notification.ts';
import type { NotificationService } from './notification-service.ts';

const PER_PAGE = 25;
const access = 'signed-in' as const;
const params = z.object({ id: z.string().min(1) });
const list = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
  unread: z.enum(['1']).optional().catch(undefined),
});
/** Boxes that are ticked come as `kind`, one or several; those that are not do not come at all. */
const ticked = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((said) => new Set(said === undefined ? [] : [said].flat()));
const choice = z.object({ bell: ticked, mail: ticked });

export function notificationRoutes(notifications: NotificationService): Route[] {
  return [
    route({
      method: 'get',
      path: '/notifications',
      access,
      query: list,
      handler: async ({ actor, query }) => {
        const unreadOnly = query.unread !== undefined;
        const page = { page: query.page, perPage: PER_PAGE, unreadOnly };
        const unreadCount = await notifications.unread(actor);
        return view('notifications/list', {
          notifications: await notifications.list(actor, page),
          unreadCount,
          leadKind: unreadCount > 0 ? 'unread' : 'none',
          unreadOnly,
        });
      },
    }),
    route({
      method: 'post',
      path: '/notifications/read-all',
      access,
      handler: async ({ actor }) => {
        await notifications.markAllRead(actor);
        return redirect('/notifications', {
          flash: { kind: 'success', code: 'notifications:flash.all-read' },
        });
      },
    }),
    route({
      method: 'post',
      path: '/notifications/:id/open',
      access,
      params,
      handler: async ({ actor, params: { id } }) => redirect((await notifications.open(actor, id)).link),
    }),
    route({
      method: 'post',
      path: '/notifications/:id/read',
      access,
      params,
      handler: async ({ actor, params: { id } }) => {
        await notifications.open(actor, id);
        return redirect('/notifications');
      },
    }),
    route({
      method: 'get',
      path: '/account/notifications',
      access,
      handler: async ({ actor }) =>
        view('notifications/preferences', { preferences: await notifications.preferences(actor) }),
    }),
    route({
      method: 'post',
      path: '/account/notifications',
      access,
      body: choice,
      handler: async ({ actor, body: { bell, mail } }) => {
        const offered = await notifications.preferences(actor);
        const chosen = offered.map(({ kind }): Preference => ({
          kind,
          bell: bell.has(kind),
          mail: mail.has(kind),
        }));
        await notifications.choose(actor, chosen);
        return redirect('/account/notifications', {
          flash: { kind: 'success', code: 'notifications:flash.saved' },
        });
      },
    }),
  ];
}
