import { NotFoundError, type Actor, type Host, type PersonFacts } from 'latchkey/plugin-api';
import { findKeys } from '../keys/key-repository.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { busiestInviters, cameBy, countInvited, invitedBy, type Branch } from './tree-repository.ts';

/** Somebody in the tree, and whom they brought. */
export interface TreeNode {
  person: { id: string; name: string; email: string; isOff: boolean };
  branch: Branch | null;
  /** How many they invited in all, also those that are not drawn. */
  invited: number;
  children: TreeNode[];
}

export interface CameBy {
  branch: Branch;
  key: InvitationKey | null;
  inviter: PersonFacts | null;
}

const DEPTH = 3;
const WIDTH = 12;
const MOST = 120;
const RIGHT = 'registration-key.read';

/** Who brought whom. */
export class TreeService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Those who brought most, each a root. */
  async roots(actor: Actor): Promise<TreeNode[]> {
    const { db, users } = this.#host;
    const busiest = await busiestInviters(db, actor.entitiesWith(RIGHT), 25);
    const people = await users.named(busiest.map(({ userId }) => userId));
    return busiest.flatMap(({ userId, count }) => {
      const person = people.get(userId);
      return person ? [{ person: seen(person), branch: null, invited: count, children: [] }] : [];
    });
  }

  /** One person, the line of those above, and three generations below; wide generations are cut, and say so. */
  async around(actor: Actor, userId: string): Promise<{ root: TreeNode; above: CameBy[] }> {
    const { db, users } = this.#host;
    const person = await users.find(userId);
    if (person === null) throw new NotFoundError('invitation.person_unknown');
    const root: TreeNode = { person: seen(person), branch: null, invited: 0, children: [] };
    const above = await this.#above(actor, userId);
    const known = new Map([[userId, root]]);
    let generation = [root];
    for (let depth = 0; depth < DEPTH && generation.length > 0 && known.size < MOST; depth += 1) {
      const branches = await invitedBy(
        db,
        generation.map(({ person: { id } }) => id),
        { limit: 2000 },
      );
      const people = await users.named(branches.map((branch) => branch.userId));
      const next: TreeNode[] = [];
      for (const branch of branches.filter((one) => actor.can(RIGHT, one.entityId))) {
        const parent = known.get(branch.inviterId ?? '');
        const child = people.get(branch.userId);
        if (!parent || !child || known.has(child.id)) continue;
        parent.invited += 1;
        if (parent.children.length >= WIDTH || known.size >= MOST) continue;
        const node: TreeNode = { person: seen(child), branch, invited: 0, children: [] };
        known.set(child.id, node);
        parent.children.push(node);
        next.push(node);
      }
      generation = next;
    }
    const counts = await countInvited(
      db,
      generation.map((node) => node.person.id),
    );
    for (const node of generation) node.invited = Math.max(node.invited, counts.get(node.person.id) ?? 0);
    if (root.children.length === 0 && above.length === 0 && !actor.can(RIGHT))
      throw new NotFoundError('invitation.person_unknown');
    return { root, above };
  }

  /** By which keys somebody came, as far as this reader may know. */
  async cameBy(actor: Actor, userId: string): Promise<CameBy[]> {
    const { db, users } = this.#host;
    const branches = (await cameBy(db, [userId])).filter(({ entityId }) => actor.can(RIGHT, entityId));
    const keys = await findKeys(
      db,
      branches.map(({ keyId }) => keyId),
    );
    const inviters = await users.named(branches.flatMap(({ inviterId }) => inviterId ?? []));
    return branches.map((branch) => ({
      branch,
      key: keys.get(branch.keyId) ?? null,
      inviter: inviters.get(branch.inviterId ?? '') ?? null,
    }));
  }

  async countInvitedBy(userId: string): Promise<number> {
    return (await countInvited(this.#host.db, [userId])).get(userId) ?? 0;
  }

  /** From the first inviter of all down to the one who brought this person. */
  async #above(actor: Actor, userId: string): Promise<CameBy[]> {
    const line: CameBy[] = [];
    const seenIds = new Set([userId]);
    for (let at = userId; line.length < 20;) {
      const [first] = await this.cameBy(actor, at);
      if (!first) break;
      line.unshift(first);
      const { inviterId } = first.branch;
      if (inviterId === null || seenIds.has(inviterId)) break;
      seenIds.add(inviterId);
      at = inviterId;
    }
    return line;
  }
}

const seen = ({ id, name, email, status }: PersonFacts): TreeNode['person'] => ({
  id,
  name,
  email,
  isOff: status === 'disabled',
});
