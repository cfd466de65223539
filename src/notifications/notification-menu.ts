import type { MenuEntry } from '../views/index.ts';

export const notificationMenu: readonly MenuEntry[] = [
  {
    id: 'account-notifications',
    at: 'account',
    label: 'notifications:preferences.menu',
    icon: 'bell',
    path: '/account/notifications',
    order: 30,
  },
];
