import { ForbiddenError, InvalidInputError, system, type Actor, type Host } from 'latchkey/plugin-api';
import type { InvitationKey, KeyTerms, PauseReason } from './invitation-key.ts';
import type { MemberQuota } from './member-quota.ts';
import type { Places } from './places.ts';

type Given = Pick<KeyTerms, 'profileId' | 'entityId' | 'groupIds'>;

/** In whose name a newcomer is let in, and into which groups. */
export interface Giver {
  actor: Actor;
  groupIds: string[];
  /** Groups of the key that are gone, or that its owner may no longer give. */
  skippedGroupIds: string[];
}

/** A key never gives what its maker could not give directly: asked when it is minted and each time it is redeemed. */
export class Authority {
  readonly #host: Host;
  readonly #places: Places;
  readonly #quota: MemberQuota;

  constructor({ host, places, quota }: { host: Host; places: Places; quota: MemberQuota }) {
    this.#host = host;
    this.#places = places;
    this.#quota = quota;
  }

  async assertMayGive(actor: Actor, terms: Given): Promise<void> {
    const { memberships } = this.#host;
    if ((await this.#misplaced(terms)).length > 0) {
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'groups', code: 'invitation.unknown_group' }],
      });
    }
    const grant = { profileId: terms.profileId, entityId: terms.entityId, recursive: false };
    if (!(await memberships.mayGrant(actor, grant))) throw new ForbiddenError('invitation.more_than_own');
    for (const groupId of terms.groupIds) {
      if (!(await memberships.mayAddToGroup(actor, groupId)))
        throw new ForbiddenError('invitation.more_than_own');
    }
  }

  /** As `assertMayGive`; whoever made it within their quota is asked what that quota allows now. */
  async assertMayGiveAgain(actor: Actor, key: InvitationKey): Promise<void> {
    const isOwn = key.byMember && key.ownerId === actor.userId;
    if (!isOwn) return this.assertMayGive(actor, key);
    if (!(await this.#quota.mayStillGive(actor, key))) throw new ForbiddenError('invitation.more_than_own');
  }

  /** A key that makes people of the staff is out of reach for whoever could not make them. */
  async assertNotAbove(actor: Actor, { profileId, entityId }: InvitationKey): Promise<void> {
    const { memberships } = this.#host;
    const profile = (await memberships.profiles()).find(({ id }) => id === profileId);
    if (!profile || !this.#places.isStaff(profile)) return;
    if (!(await memberships.mayGrant(actor, { profileId, entityId, recursive: false })))
      throw new ForbiddenError('invitation.more_than_own');
  }

  /** The giver as things stand now, or why the key has to pause. */
  async giverOf(key: InvitationKey): Promise<Giver | PauseReason> {
    const actor = key.ownerId === null ? system : await this.#host.users.actorOf(key.ownerId);
    if (actor === null) return 'owner-gone';
    return key.byMember ? this.#memberGiver(actor, key) : this.giverFor(actor, key);
  }

  /** The house itself gives what it lets its people give: their profile, and groups they are still in. */
  async #memberGiver(actor: Actor, key: InvitationKey): Promise<Giver | PauseReason> {
    if (!(await this.#quota.mayStillGive(actor, key))) return 'authority-lost';
    const own =
      actor.userId === null || key.groupIds.length === 0
        ? []
        : await this.#host.memberships.groupsOf(actor.userId);
    const misplaced = await this.#misplaced(key);
    const groupIds = key.groupIds.filter(
      (id) => !misplaced.includes(id) && own.some((group) => group.id === id),
    );
    return {
      actor: system,
      groupIds,
      skippedGroupIds: key.groupIds.filter((id) => !groupIds.includes(id)),
    };
  }

  async giverFor(actor: Actor, terms: Given): Promise<Giver | PauseReason> {
    const { memberships } = this.#host;
    const grant = { profileId: terms.profileId, entityId: terms.entityId, recursive: false };
    if (!(await memberships.mayGrant(actor, grant))) return 'authority-lost';
    const groupIds: string[] = [];
    const misplaced = await this.#misplaced(terms);
    for (const groupId of terms.groupIds) {
      if (!misplaced.includes(groupId) && (await memberships.mayAddToGroup(actor, groupId)))
        groupIds.push(groupId);
    }
    return { actor, groupIds, skippedGroupIds: terms.groupIds.filter((id) => !groupIds.includes(id)) };
  }

  /** Groups that do not exist, or belong to another branch of the house than the key. */
  async #misplaced({ groupIds, entityId }: Given): Promise<string[]> {
    if (groupIds.length === 0) return [];
    const [groups, entities] = [
      await this.#host.memberships.groups(),
      await this.#host.memberships.entities(),
    ];
    const lineage = ancestorsAndSelf(entityId, entities);
    return groupIds.filter((id) => {
      const group = groups.find((one) => one.id === id);
      return (
        group === undefined ||
        !(lineage.has(group.entityId) || ancestorsAndSelf(group.entityId, entities).has(entityId))
      );
    });
  }
}

function ancestorsAndSelf(
  id: string,
  entities: readonly { id: string; parentId: string | null }[],
): Set<string> {
  const parents = new Map(entities.map((entity) => [entity.id, entity.parentId]));
  const line = new Set<string>();
  for (let at: string | null = id; at !== null && !line.has(at); at = parents.get(at) ?? null) line.add(at);
  return line;
}
