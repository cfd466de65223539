import type { Actor } from '../shared/actor.ts';
import { ForbiddenError, NotFoundError } from '../shared/errors.ts';
import type { DirectorySnapshot } from './directory.ts';
import type { Grant, GrantDraft } from './grant.ts';
import type { User } from './user.ts';

/** Somebody of whose entities one may read nothing does not exist: 404. */
export function assertMaySeeUser(
  actor: Actor,
  user: User | null,
  grants: readonly Grant[],
): asserts user is User {
  if (!user || !maySeeUser(actor, user, grants)) throw new NotFoundError('user.not-found');
}

export function maySeeUser(actor: Actor, user: User, grants: readonly Grant[]): boolean {
  if (actor.userId === user.id) return true;
  const readable = actor.entitiesWith('user.read');
  return readable === 'all' || grants.some(({ entityId }) => readable.includes(entityId));
}

/** Nobody changes an account that can do more than they can, or that belongs to somebody else's part of the house as well. */
export function assertMayManageUser(
  actor: Actor,
  user: User,
  { grants, directory }: { grants: readonly Grant[]; directory: DirectorySnapshot },
): void {
  if (!mayManageUser(actor, user, { grants, directory })) throw new ForbiddenError('user.not-yours');
}

export function mayManageUser(
  actor: Actor,
  user: User,
  { grants, directory }: { grants: readonly Grant[]; directory: DirectorySnapshot },
): boolean {
  const managed = actor.entitiesWith('user.manage');
  if (managed === 'all' && grants.length === 0) return true;
  if (grants.length === 0 || user.anonymisedAt !== null) return false;
  return grants.every(
    ({ profileId, entityId, isRecursive }) =>
      actor.can('user.manage', entityId) &&
      covers(actor, { profileId, entityId, recursive: isRecursive }, directory),
  );
}

/** Whether `actor` holds, everywhere this grant would reach, every right that it would give. */
export function covers(
  actor: Actor,
  { profileId, entityId, recursive }: Omit<GrantDraft, 'userId'>,
  directory: DirectorySnapshot,
): boolean {
  const { tree, rightsOf } = directory;
  const reached = recursive ? tree.within(entityId).map(({ id }) => id) : [entityId];
  return [...rightsOf(profileId)].every((right) => {
    const where = actor.entitiesWith(right);
    return where === 'all' || reached.every((id) => where.includes(id));
  });
}

/** A grant never gives more than its giver has. */
export function mayGive(
  actor: Actor,
  grant: Omit<GrantDraft, 'userId'>,
  directory: DirectorySnapshot,
): boolean {
  const isKnown =
    directory.tree.has(grant.entityId) && directory.profiles.some(({ id }) => id === grant.profileId);
  return isKnown && actor.can('grant.manage', grant.entityId) && covers(actor, grant, directory);
}
