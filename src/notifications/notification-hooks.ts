import { defineEvent } from '../hooks/tokens.ts';

export const notificationSent = defineEvent<{
  kind: string;
  subject: { type: string; id: string };
  userIds: string[];
  link: string;
}>({
  name: 'notification.sent',
  summary: 'People were told of something, by bell or mail as each wants it; for other ways to tell them.',
  since: '0.1.0',
});
