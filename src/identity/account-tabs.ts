const places = [
  { id: 'profile', path: '/account' },
  { id: 'security', path: '/account/security' },
  { id: 'sessions', path: '/account/sessions' },
  { id: 'tokens', path: '/account/tokens' },
] as const;

export interface Tab {
  path: string;
  label: string;
  active: boolean;
}

/** `label` is an i18n key: templates translate it. */
export const accountTabs = (current: (typeof places)[number]['id']): Tab[] =>
  places.map(({ id, path }) => ({ path, label: `identity:account.tab.${id}`, active: id === current }));
