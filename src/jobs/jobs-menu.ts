import type { MenuEntry } from '../views/index.ts';

export const jobsMenu: readonly MenuEntry[] = [
  {
    id: 'background',
    at: 'admin',
    label: 'jobs:menu',
    icon: 'activity',
    path: '/admin/background',
    right: 'background.manage',
    order: 84,
  },
];
