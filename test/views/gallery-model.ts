import type { PageContext } from '../../src/views/index.ts';

const item = (id: string, label: string, icon: string, active = false) => ({
  id,
  label,
  icon,
  path: `/${id}`,
  active,
});

export const galleryPage: PageContext = {
  locale: 'en',
  timeZone: 'Europe/Paris',
  nonce: 'gallery',
  csrf: 'token',
  theme: 'auto',
  actor: { kind: 'user', userId: 'u1', name: 'Marie Dupont' },
  organisation: { name: 'Acme Helpdesk' },
  menu: {
    main: [
      item('home', 'Home', 'home'),
      item('tickets', 'Tickets', 'ticket', true),
      item('dashboard', 'Dashboard', 'chart-bar'),
    ],
    admin: [
      item('invitations', 'Invitations', 'user-plus'),
      item('users', 'Users', 'users'),
      item('plugins', 'Plugins', 'plug'),
      item('settings', 'Settings', 'settings'),
    ],
    account: [item('account', 'My account', 'user'), item('sessions', 'My devices', 'device-mobile')],
  },
  flash: {
    kind: 'success',
    code: 'common:copy.done',
    undo: { action: '/undo', label: 'common:form.cancel' },
  },
  path: '/tickets',
  url: '/tickets?page=2',
  unread: 3,
  origin: 'https://desk.example.org',
  fragment: false,
};

const at = Date.UTC(2026, 10, 21, 9, 30);

export const galleryModel = {
  at,
  text: 'It takes **two sheets** at once and then stops.\n\n- since this morning\n- only A4\n\n`E04` on the display, see https://example.org/e04',
  errors: [{ field: 'email', code: 'field.email' }],
  languages: [
    { value: 'en', label: 'English' },
    { value: 'fr', label: 'Français' },
  ],
  crumbs: [{ path: '#', label: 'Administration' }, { path: '#', label: 'Invitations' }, { label: 'New' }],
  presets: [
    { value: 'person', label: 'One person', hint: 'By e-mail, once', icon: 'user' },
    { value: 'team', label: 'A team', hint: 'A link for many', icon: 'users' },
    { value: 'event', label: 'An event, today only', hint: 'A code on the wall', icon: 'qrcode' },
  ],
  tabs: [
    { path: '#', label: 'Mine', count: 7, active: true },
    { path: '#', label: 'Unassigned', count: 0 },
    { path: '#', label: 'All', count: 1001 },
    { path: '#', label: 'Closed' },
  ],
  tickets: [
    {
      number: 1042,
      title: 'The printer on the second floor eats paper',
      status: 'Open',
      icon: 'circle-dot',
      tone: 'accent',
      who: 'Jo Martin',
      at,
    },
    {
      number: 1041,
      title: 'VPN asks for the password twice',
      status: 'Pending',
      icon: 'hourglass',
      tone: 'warning',
      who: 'Amélie Renard',
      at,
    },
    {
      number: 1039,
      title: 'New laptop for Sam',
      status: 'New',
      icon: 'sparkles',
      tone: 'info',
      who: 'Sam Okafor',
      at,
    },
    {
      number: 1035,
      title: 'Cannot open the shared calendar of the Paris office since the move',
      status: 'Solved',
      icon: 'circle-check',
      tone: 'success',
      who: 'Li Wei',
      at,
    },
  ],
  list: { page: 2, perPage: 20, total: 57 },
  week: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map((label, index) => ({
    label,
    value: [12, 17, 9, 21, 14, 2, 0][index],
  })),
  days: Array.from({ length: 30 }, (_, index) => ({
    label: `${String(index + 1)} Nov`,
    value: Math.round(14 + 9 * Math.sin(index / 4) + (index % 3)),
  })),
  shares: [
    { label: 'Printing', value: 14 },
    { label: 'Network', value: 9 },
    { label: 'Accounts', value: 22 },
    { label: 'Hardware', value: 6 },
  ],
  kinds: [
    { label: 'Accounts and passwords', value: 12 },
    { label: 'Mail and calendar', value: 7 },
    { label: 'Printing', value: 3 },
  ],
  pills: ['success', 'warning', 'danger', 'info', 'accent', 'quiet'],
};
