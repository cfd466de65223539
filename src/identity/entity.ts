/** The top of the tree; made by the migration, named by the set-up. */
export const ROOT_ENTITY_ID = '00000000000000000000000001';

/** A part of the organisation. What is granted in one may also hold below it. */
export interface Entity {
  id: string;
  number: number;
  parentId: string | null;
  name: string;
  /** Ids from the top to this one: `/…/…/`. */
  path: string;
  version: number;
  createdAt: number;
}

/** The whole tree at one moment. */
export class EntityTree {
  readonly #byId: ReadonlyMap<string, Entity>;

  constructor(entities: readonly Entity[]) {
    this.#byId = new Map(entities.map((entity) => [entity.id, entity]));
  }

  get(id: string): Entity | undefined {
    return this.#byId.get(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Parents before children, sisters by name. */
  all(): Entity[] {
    return [...this.#byId.values()].sort((one, other) =>
      this.fullName(one.id).localeCompare(this.fullName(other.id)),
    );
  }

  /** The entity and everything below it. */
  within(id: string): Entity[] {
    const top = this.get(id);
    return top ? [...this.#byId.values()].filter(({ path }) => path.startsWith(top.path)) : [];
  }

  childrenOf(id: string): Entity[] {
    return this.all().filter(({ parentId }) => parentId === id);
  }

  isWithin(id: string, ancestorId: string): boolean {
    const entity = this.get(id);
    return entity?.path.includes(`/${ancestorId}/`) === true;
  }

  /** `Acme › Paris › Sales`. */
  fullName(id: string): string {
    const ids =
      this.get(id)
        ?.path.split('/')
        .filter((part) => part !== '') ?? [];
    return ids.map((part) => this.get(part)?.name ?? '?').join(' › ');
  }

  depthOf(id: string): number {
    return (this.get(id)?.path.split('/').length ?? 3) - 3;
  }
}
