export { notificationApi, type Translate } from './notification-api.ts';
export * from './notification-hooks.ts';
export { notificationMenu } from './notification-menu.ts';
export { scheduleNotificationRetention } from './notification-retention-job.ts';
export { notificationRoutes } from './notification-routes.ts';
export { NotificationService } from './notification-service.ts';
export type { FindRecipients, NotificationDraft, NotificationKind, Recipient } from './notification.ts';
