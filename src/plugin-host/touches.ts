import type { Manifest } from './manifest.ts';

/** Everything of the helpdesk that a plugin asks for, in the words of its manifest. */
export function touchesOf({ permissions, rights, claims, overrides, hooks }: Manifest): string[] {
  const { db, users, memberships, sessions, mail, tickets, net } = permissions;
  return [
    ...db.map((what) => `db: ${what}`),
    ...users.map((what) => `users: ${what}`),
    ...memberships.map((what) => `memberships: ${what}`),
    ...(sessions ? ['sessions'] : []),
    ...(mail ? ['mail'] : []),
    ...tickets.map((what) => `tickets: ${what}`),
    ...net.map((host) => `net: ${host}`),
    ...rights.map(({ id }) => `right: ${id}`),
    ...claims.map((path) => `path: ${path}`),
    ...overrides.map(({ template }) => `page: ${template}`),
    ...hooks.uses.map((hook) => `hook: ${hook}`),
  ];
}

export const addedTo = (before: readonly string[], after: readonly string[]): string[] =>
  after.filter((touch) => !before.includes(touch));
