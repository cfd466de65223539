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
  /** Those who hold this right in this entity. */
  withRight(right: string, entityId: string): Promise<Person[]>;
  groups(): Promise<Group[]>;
  groupsOf(userId: string): Promise<string[]>;
  membersOf(groupId: string): Promise<string[]>;
  entities(): Promise<Entity[]>;
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
