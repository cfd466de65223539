export { Courier } from './courier.ts';
export type { MailDelivery, MailDraft, MailState } from './mail.ts';
export * from './mail-hooks.ts';
export { mailMenu } from './mail-menu.ts';
export { scheduleMailRetention } from './mail-retention-job.ts';
export { mailRights } from './mail-rights.ts';
export { mailRoutes } from './mail-routes.ts';
export { MailService, type MailRenderer, type MailSite, type TestResult } from './mail-service.ts';
export { smtpTransport, type MailTransport, type OutgoingMail } from './smtp-transport.ts';
