import type { Actor } from '../shared/actor.ts';
import { ROOT_ENTITY_ID, type EntityTree } from './entity.ts';
import type { Grant } from './grant.ts';
import { EVERY_RIGHT } from './rights.ts';
import type { User } from './user.ts';

/** A person who is signed in, with what their pages need to know of them. */
export interface SignedInActor extends Actor {
  readonly kind: 'user';
  readonly userId: string;
  readonly email: string;
  readonly theme: User['theme'];
  readonly timeZone: string | null;
  /** Works at the desk, as opposed to asking it. */
  readonly isStaff: boolean;
}

/** The rights of each profile, by its id. */
export type RightsOf = (profileId: string) => ReadonlySet<string>;

interface Directory {
  tree: EntityTree;
  rightsOf: RightsOf;
  isStaffProfile: (profileId: string) => boolean;
}

export function actorFor(
  user: User,
  grants: readonly Grant[],
  { tree, rightsOf, isStaffProfile }: Directory,
): SignedInActor {
  const holding = (right: string): Grant[] =>
    grants.filter(({ profileId }) => rightsOf(profileId).has(right) || rightsOf(profileId).has(EVERY_RIGHT));
  return {
    kind: 'user',
    userId: user.id,
    name: user.name,
    email: user.email,
    locale: user.locale,
    theme: user.theme,
    timeZone: user.timeZone,
    isStaff: grants.some(({ profileId }) => isStaffProfile(profileId)),
    can: (right, entityId) =>
      holding(right).some((grant) => entityId === undefined || reaches(tree, grant, entityId)),
    entitiesWith: (right) => entitiesOf(tree, holding(right)),
  };
}

export const reaches = (
  tree: EntityTree,
  grant: Pick<Grant, 'entityId' | 'isRecursive'>,
  entityId: string,
): boolean => (grant.isRecursive ? tree.isWithin(entityId, grant.entityId) : grant.entityId === entityId);

function entitiesOf(tree: EntityTree, grants: readonly Grant[]): 'all' | readonly string[] {
  if (grants.some(({ entityId, isRecursive }) => isRecursive && entityId === ROOT_ENTITY_ID)) return 'all';
  const ids = grants.flatMap(({ entityId, isRecursive }) =>
    isRecursive ? tree.within(entityId).map(({ id }) => id) : [entityId],
  );
  return [...new Set(ids)];
}
