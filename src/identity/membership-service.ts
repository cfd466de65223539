import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Directory, DirectorySnapshot } from './directory.ts';
import { countHolders, deleteGrant, findGrant, insertGrant, listGrantsOf } from './directory-repository.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import type { Grant, GrantDraft } from './grant.ts';
import {
  deleteMember,
  findGroup,
  insertMember,
  listGroups,
  listGroupsOf,
  listMembers,
} from './group-repository.ts';
import type { Group } from './group.ts';
import { BUILT_IN_PROFILES } from './profile.ts';
import { EVERY_RIGHT } from './rights.ts';
import { reaches } from './signed-in-actor.ts';
import { mayGive } from './user-policy.ts';
import type { PersonFacts } from './user.ts';
import { findUser } from './user-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
}

/** Who may what where, and who belongs to which group. */
export class MembershipService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Gives a profile in an entity. A grant never gives more than its giver has: `actor` is whoever answers for it. */
  async grant(
    tx: Tx,
    { userId, profileId, entityId, recursive }: GrantDraft,
    { actor, person }: { actor: Actor; person?: Pick<PersonFacts, 'email'> | undefined },
  ): Promise<void> {
    const { audit, clock, directory } = this.#deps;
    const snapshot = await directory.snapshot(tx);
    if (!mayGive(actor, { profileId, entityId, recursive }, snapshot))
      throw new ForbiddenError('grant.too-much');
    const user = person ?? (await findUser(tx, userId));
    if (!user) throw new NotFoundError('user.not-found');
    const grant = {
      id: newId(),
      userId,
      profileId,
      entityId,
      isRecursive: recursive,
      createdAt: clock.now(),
      createdBy: actor.userId,
    };
    await insertGrant(tx, grant);
    const subject = { type: 'user', id: userId, label: user.email };
    await audit.record(tx, actor, {
      action: 'grant.given',
      subject,
      entityId,
      after: inWords(grant, snapshot),
    });
  }

  async revoke(actor: Actor, grantId: string): Promise<void> {
    const { db, audit, directory } = this.#deps;
    await db.transaction(async (tx) => {
      const [grant, snapshot] = [await findGrant(tx, grantId), await directory.snapshot(tx)];
      const user = grant && (await findUser(tx, grant.userId));
      if (!user) throw new NotFoundError('grant.not-found');
      if (!mayGive(actor, { ...grant, recursive: grant.isRecursive }, snapshot))
        throw new ForbiddenError('grant.not-yours');
      if (!(await deleteGrant(tx, grantId))) throw new NotFoundError('grant.not-found');
      if (isOwnership(grant)) await assertOwnerRemains(tx);
      const subject = { type: 'user', id: user.id, label: user.email };
      await audit.record(tx, actor, {
        action: 'grant.withdrawn',
        subject,
        entityId: grant.entityId,
        before: inWords(grant, snapshot),
      });
    });
  }

  async addToGroup(
    tx: Tx,
    { userId, groupId }: { userId: string; groupId: string },
    { actor }: { actor: Actor },
  ): Promise<void> {
    const { audit, clock } = this.#deps;
    const group = await findGroup(tx, groupId);
    if (!group) throw new NotFoundError('group.not-found');
    if (!(await insertMember(tx, { groupId, userId, isManager: false }, clock.now()))) return;
    const user = await findUser(tx, userId);
    await audit.record(tx, actor, {
      action: 'group.member-added',
      subject: { type: 'group', id: groupId, label: group.name },
      entityId: group.entityId,
      after: { member: user?.email ?? userId },
    });
  }

  async removeFromGroup(
    tx: Tx,
    { userId, groupId }: { userId: string; groupId: string },
    { actor }: { actor: Actor },
  ): Promise<boolean> {
    const group = await findGroup(tx, groupId);
    if (!group || !(await deleteMember(tx, { groupId, userId }))) return false;
    const user = await findUser(tx, userId);
    await this.#deps.audit.record(tx, actor, {
      action: 'group.member-removed',
      subject: { type: 'group', id: groupId, label: group.name },
      entityId: group.entityId,
      before: { member: user?.email ?? userId },
    });
    return true;
  }

  async profiles(): Promise<
    { id: string; key: string; name: string; rights: readonly string[]; kind: 'portal' | 'staff' }[]
  > {
    const { profiles } = await this.#deps.directory.snapshot();
    return profiles.map(({ id, key, name, rights, kind }) => ({ id, key: key ?? id, name, rights, kind }));
  }

  /** Parents before children; `path` is for people: `Acme › Paris`. */
  async entities(): Promise<{ id: string; name: string; path: string; parentId: string | null }[]> {
    const { tree } = await this.#deps.directory.snapshot();
    return tree.all().map(({ id, name, parentId }) => ({ id, name, path: tree.fullName(id), parentId }));
  }

  async groups(): Promise<{ id: string; name: string; entityId: string }[]> {
    const groups = await listGroups(this.#deps.db);
    return groups.map(({ id, name, entityId }) => ({ id, name, entityId }));
  }

  async groupsOf(userId: string): Promise<(Group & { isManager: boolean })[]> {
    return listGroupsOf(this.#deps.db, userId);
  }

  async membersOf(groupId: string): Promise<string[]> {
    return (await listMembers(this.#deps.db, groupId)).map(({ userId }) => userId);
  }

  async grantsOf(userId: string): Promise<Grant[]> {
    return listGrantsOf(this.#deps.db, userId);
  }

  /** Where somebody's own requests go: the entity of their first grant, else the top. */
  async homeEntityOf(userId: string): Promise<string> {
    const [first] = await this.grantsOf(userId);
    return first?.entityId ?? ROOT_ENTITY_ID;
  }

  /** Whether somebody belongs there already and may there all that this profile lets people do. */
  async holds(
    userId: string,
    { profileId, entityId }: Pick<GrantDraft, 'profileId' | 'entityId'>,
  ): Promise<boolean> {
    const { tree, rightsOf } = await this.#deps.directory.snapshot();
    const held = (await this.grantsOf(userId))
      .filter((grant) => reaches(tree, grant, entityId))
      .map((grant) => rightsOf(grant.profileId));
    if (held.length === 0) return false;
    return [...rightsOf(profileId)].every((right) =>
      held.some((rights) => rights.has(right) || rights.has(EVERY_RIGHT)),
    );
  }

  async mayGrant(actor: Actor, grant: Omit<GrantDraft, 'userId'>): Promise<boolean> {
    return mayGive(actor, grant, await this.#deps.directory.snapshot());
  }

  async mayAddToGroup(actor: Actor, groupId: string): Promise<boolean> {
    const { db } = this.#deps;
    const group = await findGroup(db, groupId);
    if (!group) return false;
    if (actor.can('group.manage', group.entityId)) return true;
    const own = actor.userId === null ? [] : await listGroupsOf(db, actor.userId);
    return own.some(({ id, isManager }) => id === groupId && isManager);
  }
}

/** A house without anybody who may everything could only be mended from the command line. */
export async function assertOwnerRemains(tx: Tx): Promise<void> {
  const holders = await countHolders(tx, {
    profileId: BUILT_IN_PROFILES['super-admin'],
    entityId: ROOT_ENTITY_ID,
  });
  if (holders === 0) throw new ConflictError('grant.last-owner');
}

/** May everything, everywhere. */
export const isOwnership = ({
  profileId,
  entityId,
  isRecursive,
}: Pick<Grant, 'profileId' | 'entityId' | 'isRecursive'>): boolean =>
  profileId === BUILT_IN_PROFILES['super-admin'] && entityId === ROOT_ENTITY_ID && isRecursive;

const inWords = (
  { profileId, entityId, isRecursive }: Pick<Grant, 'profileId' | 'entityId' | 'isRecursive'>,
  { tree, profiles }: DirectorySnapshot,
): Record<string, unknown> => ({
  profile: profiles.find(({ id }) => id === profileId)?.name ?? profileId,
  entity: tree.fullName(entityId),
  recursive: isRecursive,
});
