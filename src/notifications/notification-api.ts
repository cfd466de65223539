import { z } from 'zod';
import { empty, json } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { NotificationService, NotificationView } from './notification-service.ts';

const access = 'signed-in' as const;
const tag = 'Notifications';
const notification = z.object({
  id: z.string(),
  kind: z.string(),
  text: z.string().meta({ description: 'What happened, in the language of the account.' }),
  link: z.string(),
  subject: z.object({ type: z.string(), id: z.string() }),
  createdAt: z.iso.datetime(),
  readAt: z.iso.datetime().nullable(),
});
const notificationPage = z.object({
  items: z.array(notification),
  page: z.number(),
  perPage: z.number(),
  total: z.number(),
  unread: z.number(),
});
const list = z.object({
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
  unread: z
    .enum(['true', 'false'])
    .default('false')
    .transform((said) => said === 'true'),
});
const params = z.object({ id: z.string().min(1) });

/** A text by its key, in a language. */
export type Translate = (key: string, params: Record<string, string | number>, locale: string) => string;

export function notificationApi(notifications: NotificationService, translate: Translate): Route[] {
  const shown = (one: NotificationView, locale: string): z.output<typeof notification> => ({
    id: one.id,
    kind: one.kind,
    text: translate(one.text, one.params, locale),
    link: one.link,
    subject: { type: one.subjectType, id: one.subjectId },
    createdAt: new Date(one.createdAt).toISOString(),
    readAt: one.readAt === null ? null : new Date(one.readAt).toISOString(),
  });

  return [
    route({
      method: 'get',
      path: '/api/v1/notifications',
      access,
      query: list,
      api: {
        summary: 'List my notifications, newest first',
        tag,
        scope: 'notifications:read',
        responses: { 200: { description: 'A page of notifications', schema: notificationPage } },
      },
      handler: async ({ actor, query: { unread: unreadOnly, ...page } }) => {
        const found = await notifications.list(actor, { ...page, unreadOnly });
        const items = found.items.map((one) => shown(one, actor.locale));
        return json({ ...found, items, unread: await notifications.unread(actor) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/notifications/:id/read',
      access,
      params,
      api: {
        summary: 'Mark a notification as read',
        tag,
        scope: 'notifications:write',
        responses: { 200: { description: 'The notification', schema: notification } },
      },
      handler: async ({ actor, params: { id } }) =>
        json(shown(await notifications.open(actor, id), actor.locale)),
    }),
    route({
      method: 'post',
      path: '/api/v1/notifications/read-all',
      access,
      api: {
        summary: 'Mark all my notifications as read',
        tag,
        scope: 'notifications:write',
        responses: { 204: { description: 'Done' } },
      },
      handler: async ({ actor }) => {
        await notifications.markAllRead(actor);
        return empty();
      },
    }),
  ];
}
