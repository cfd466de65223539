import type { MenuEntry } from '../views/index.ts';

export const networkMenu: readonly MenuEntry[] = [
  {
    id: 'network',
    at: 'admin',
    label: 'network:menu',
    icon: 'world',
    path: '/admin/network',
    right: 'network.manage',
    order: 81,
  },
  {
    id: 'vendor-support',
    at: 'admin',
    label: 'support:menu',
    icon: 'lifebuoy',
    path: '/admin/network/support',
    right: 'network.support',
    order: 81,
  },
];
