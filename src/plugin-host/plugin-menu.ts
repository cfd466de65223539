import type { MenuEntry } from '../views/menu.ts';

export const pluginMenu: readonly MenuEntry[] = [
  {
    id: 'plugins',
    at: 'admin',
    label: 'plugins:menu',
    icon: 'puzzle',
    path: '/admin/plugins',
    right: 'plugin.manage',
    order: 70,
  },
];
