import type { MenuEntry } from '../views/index.ts';

export const mailMenu: readonly MenuEntry[] = [
  {
    id: 'mail',
    at: 'admin',
    label: 'mail:menu',
    icon: 'mail',
    path: '/admin/mail',
    right: 'mail.manage',
    order: 82,
  },
];
