import type { MembershipService, UserService } from '../identity/index.ts';

export interface Person {
  id: string;
  name: string;
  email: string;
  locale: string;
}

export interface Group {
  id: string;
  name: string;
  entityId: string;
}

export interface Entity {
  id: string;
  name: string;
  /** From the root, as people read it. */
  path: string;
  parentId: string | null;
}

/** What tickets need to know of people; identity answers it. */
export interface People {
  named(ids: readonly string[]): Promise<Map<string, Person>>;
  find(id: string): Promise<Person | null>;
  findByEmail(email: string): Promise<Person | null>;
  /** Those who hold this right in this entity, or in one of these. */
  withRight(right: string, entityIds: string | readonly string[]): Promise<Person[]>;
  groups(): Promise<Group[]>;
  groupsOf(userId: string): Promise<string[]>;
  membersOf(groupId: string): Promise<string[]>;
  entities(): Promise<Entity[]>;
  /** Where somebody's own requests go. */
  homeEntityOf(userId: string): Promise<string>;
}

/** The entity itself and all above it, nearest first. */
export function lineage(entities: readonly Entity[], entityId: string): string[] {
  const byId = new Map(entities.map((entity) => [entity.id, entity]));
  const line: string[] = [];
  for (let at = byId.get(entityId); at && !line.includes(at.id); at = byId.get(at.parentId ?? '')) {
    line.push(at.id);
  }
  return line;
}

/** Identity, as tickets see it. */
export const peopleOf = (users: UserService, memberships: MembershipService): People => ({
  named: (ids) => users.named(ids),
  find: (id) => users.find(id),
  findByEmail: (email) => users.findByEmail(email),
  withRight: (right, entityIds) => users.withRight(right, entityIds),
  groups: () => memberships.groups(),
  groupsOf: async (userId) => (await memberships.groupsOf(userId)).map(({ id }) => id),
  membersOf: (groupId) => memberships.membersOf(groupId),
  entities: () => memberships.entities(),
  homeEntityOf: (userId) => memberships.homeEntityOf(userId),
});
