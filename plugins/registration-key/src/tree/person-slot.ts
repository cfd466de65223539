import type { Host } from 'latchkey/plugin-api';
import { presentCameBy } from './tree-routes.ts';
import type { TreeService } from './tree-service.ts';

/** On the page of a person: by which key they came, and whom they brought. */
export function personSlot({ host, tree }: { host: Host; tree: TreeService }): void {
  host.slot<{ userId: string }>('user.detail', `${host.plugin.id}/tree/person`, async ({ userId }, actor) => {
    if (!actor.can('registration-key.read')) return null;
    const came = await tree.cameBy(actor, userId);
    const invited = await tree.countInvitedBy(userId);
    return came.length === 0 && invited === 0 ? null : { userId, invited, came: came.map(presentCameBy) };
  });
}
