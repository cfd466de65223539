export interface Category {
  id: string;
  /** Offered in this entity and in all below it. */
  entityId: string;
  name: string;
  archived: boolean;
  createdAt: number;
  version: number;
}

/** `line` is the entity of the ticket and all above it. */
export const isOffered = ({ entityId, archived }: Category, line: readonly string[]): boolean =>
  !archived && line.includes(entityId);
