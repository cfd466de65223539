import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Directory } from './directory.ts';
import {
  countMembers,
  deleteGroup,
  deleteMember,
  findGroup,
  insertGroup,
  insertMember,
  listGroups,
  listMembers,
  setManager,
  updateGroup,
} from './group-repository.ts';
import type { Group } from './group.ts';
import { maySeeUser } from './user-policy.ts';
import type { User } from './user.ts';
import { findUser, findUsers } from './user-repository.ts';
import { listGrantsOf } from './directory-repository.ts';
import { groupMayRemove } from './user-hooks.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
}

export interface GroupView {
  group: Group;
  members: { user: User; isManager: boolean }[];
  mayManage: boolean;
  /** May add and remove members: who manages groups here, and the group's own managers. */
  mayChangeMembers: boolean;
}

const LONGEST_NAME = 120;

/** Teams. Managers of a group look after its members; the group itself belongs to those who manage groups in its entity. */
export class GroupService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor): Promise<(Group & { memberCount: number })[]> {
    const { db } = this.#deps;
    const [groups, counts] = [await listGroups(db), await countMembers(db)];
    return groups
      .filter(({ entityId }) => actor.can('group.manage', entityId) || actor.can('user.read', entityId))
      .map((group) => ({ ...group, memberCount: counts.get(group.id) ?? 0 }));
  }

  async view(actor: Actor, id: string): Promise<GroupView> {
    const { db } = this.#deps;
    const group = await findGroup(db, id);
    if (!group) throw new NotFoundError('group.not-found');
    const memberships = await listMembers(db, id);
    const mayManage = actor.can('group.manage', group.entityId);
    const own = memberships.find(({ userId }) => userId === actor.userId);
    if (!mayManage && !own && !actor.can('user.read', group.entityId))
      throw new NotFoundError('group.not-found');
    const users = new Map(
      (
        await findUsers(
          db,
          memberships.map(({ userId }) => userId),
        )
      ).map((user) => [user.id, user]),
    );
    const members = memberships.flatMap(({ userId, isManager }) => {
      const user = users.get(userId);
      return user ? [{ user, isManager }] : [];
    });
    members.sort((one, other) => one.user.name.localeCompare(other.user.name));
    return { group, members, mayManage, mayChangeMembers: mayManage || own?.isManager === true };
  }

  async create(actor: Actor, { name, entityId }: { name: string; entityId: string }): Promise<Group> {
    const { clock, directory } = this.#deps;
    const { tree } = await directory.snapshot();
    if (!tree.has(entityId)) throw new NotFoundError('entity.not-found');
    assertManages(actor, entityId);
    const group: Group = {
      id: newId(),
      entityId,
      name: checkedName(name),
      version: 1,
      createdAt: clock.now(),
    };
    await this.#write(actor, group, async (tx) => {
      await insertGroup(tx, group);
      return { action: 'group.created', after: { name: group.name } };
    });
    return group;
  }

  async rename(
    actor: Actor,
    id: string,
    { name, version }: { name: string; version: number },
  ): Promise<void> {
    const { group } = await this.#managed(actor, id);
    const tidy = checkedName(name);
    await this.#write(actor, group, async (tx) => {
      if (!(await updateGroup(tx, { id, version }, tidy))) throw new ConflictError('group.changed');
      return { action: 'group.renamed', before: { name: group.name }, after: { name: tidy } };
    });
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const { group } = await this.#managed(actor, id);
    await this.#deps.hooks.veto(groupMayRemove, { groupId: id });
    await this.#write(actor, group, async (tx) => {
      try {
        await deleteGroup(tx, id);
      } catch (error) {
        throw new ConflictError('group.in-use', { cause: error });
      }
      return { action: 'group.removed', before: { name: group.name } };
    });
  }

  async addMember(actor: Actor, id: string, userId: string): Promise<void> {
    const { db, clock } = this.#deps;
    const { group, mayChangeMembers } = await this.view(actor, id);
    if (!mayChangeMembers) throw new ForbiddenError('access.right');
    const user = await findUser(db, userId);
    if (user?.status !== 'active' || !maySeeUser(actor, user, await listGrantsOf(db, userId)))
      throw new NotFoundError('user.not-found');
    await this.#write(actor, group, async (tx) => {
      await insertMember(tx, { groupId: id, userId, isManager: false }, clock.now());
      return { action: 'group.member-added', after: { member: user.email } };
    });
  }

  async removeMember(actor: Actor, id: string, userId: string): Promise<void> {
    const { group, members, mayChangeMembers } = await this.view(actor, id);
    if (!mayChangeMembers) throw new ForbiddenError('access.right');
    const member = members.find(({ user }) => user.id === userId);
    await this.#write(actor, group, async (tx) => {
      await deleteMember(tx, { groupId: id, userId });
      return { action: 'group.member-removed', before: { member: member?.user.email ?? userId } };
    });
  }

  async setManager(
    actor: Actor,
    id: string,
    { userId, isManager }: { userId: string; isManager: boolean },
  ): Promise<void> {
    const { group } = await this.#managed(actor, id);
    const user = await findUser(this.#deps.db, userId);
    await this.#write(actor, group, async (tx) => {
      if (!(await setManager(tx, { groupId: id, userId, isManager })))
        throw new NotFoundError('group.not-a-member');
      return { action: 'group.manager-changed', after: { member: user?.email ?? userId, isManager } };
    });
  }

  async #managed(actor: Actor, id: string): Promise<GroupView> {
    const view = await this.view(actor, id);
    if (!view.mayManage) throw new ForbiddenError('access.right');
    return view;
  }

  async #write(actor: Actor, group: Group, work: (tx: Tx) => Promise<Told>): Promise<void> {
    const { db, audit } = this.#deps;
    const subject = { type: 'group', id: group.id, label: group.name };
    try {
      await db.transaction(async (tx) => {
        await audit.record(tx, actor, { ...(await work(tx)), subject, entityId: group.entityId });
      });
    } catch (error) {
      if (!db.dialect.isDuplicate(error)) throw error;
      throw new InvalidInputError('input.invalid', {
        cause: error,
        fields: [{ field: 'name', code: 'group.name-taken' }],
      });
    }
  }
}

interface Told {
  action: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}

function assertManages(actor: Actor, entityId: string): void {
  if (!actor.can('group.manage', entityId)) throw new ForbiddenError('access.right');
}

function checkedName(name: string): string {
  const tidy = name.normalize('NFC').replace(/\s+/g, ' ').trim();
  if (tidy !== '' && tidy.length <= LONGEST_NAME) return tidy;
  const problem = {
    field: 'name',
    code: tidy === '' ? 'field.required' : 'field.too-big',
    params: { maximum: LONGEST_NAME },
  };
  throw new InvalidInputError('input.invalid', { fields: [problem] });
}
