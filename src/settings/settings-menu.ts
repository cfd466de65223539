import type { MenuEntry } from '../views/menu.ts';

export const settingsMenu: readonly MenuEntry[] = [
  {
    id: 'settings',
    at: 'admin',
    label: 'settings:menu',
    icon: 'settings',
    path: '/admin/settings',
    right: 'settings.manage',
    order: 80,
  },
];
