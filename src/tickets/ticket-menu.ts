import type { MenuEntry } from '../views/index.ts';

export const ticketMenu: readonly MenuEntry[] = [
  { id: 'home', at: 'main', label: 'tickets:menu.home', icon: 'home', path: '/', order: 10 },
  { id: 'tickets', at: 'main', label: 'tickets:menu.tickets', icon: 'ticket', path: '/tickets', order: 20 },
  {
    id: 'new-ticket',
    at: 'main',
    label: 'tickets:menu.new',
    icon: 'plus',
    path: '/tickets/new',
    right: 'ticket.create',
    order: 30,
  },
  {
    id: 'categories',
    at: 'admin',
    label: 'tickets:menu.categories',
    icon: 'tags',
    path: '/admin/categories',
    right: 'category.manage',
    order: 60,
  },
];
