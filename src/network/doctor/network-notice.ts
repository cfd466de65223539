import type { NotificationKind } from '../../notifications/index.ts';

export const networkNotice: NotificationKind = {
  id: 'network.problem',
  text: 'network:notice.problem',
  label: 'network:notice-kind.problem',
  icon: 'world',
  bell: true,
  mail: false,
};
