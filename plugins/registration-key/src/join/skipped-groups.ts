import type { Host, Tx } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { markLeftOut } from '../notices/notice-repository.ts';

const MOST_TOLD = 5;

/** Somebody joined without a group that their key names: it is gone, or its owner may no longer give it. The owner hears of it once. */
export class SkippedGroups {
  readonly #host: Host;
  readonly #kind: string;

  constructor(host: Host) {
    this.#host = host;
    this.#kind = `${host.plugin.id}.groups-left-out`;
    host.notices.addKind({
      id: this.#kind,
      text: 'registration-key:notice.groups-left-out',
      label: 'registration-key:notice-kind.groups-left-out',
      icon: 'users-minus',
      bell: true,
      mail: true,
    });
  }

  async tell(tx: Tx, key: InvitationKey, groupIds: readonly string[]): Promise<void> {
    const now = this.#host.clock.now();
    let isNews = false;
    for (const groupId of groupIds) if (await markLeftOut(tx, key.id, groupId, now)) isNews = true;
    if (!isNews) return;
    await this.#host.notices.notify(tx, {
      userIds: await this.#readersOf(key),
      kind: this.#kind,
      subject: { type: 'invitation-key', id: key.id },
      entityId: key.entityId,
      link: `/invitation-keys/${key.id}/outcome`,
      params: { label: key.label === '' ? key.hint : key.label },
    });
  }

  async #readersOf(key: InvitationKey): Promise<string[]> {
    if (key.ownerId !== null) return [key.ownerId];
    const people = await this.#host.users.withRight('registration-key.manage', key.entityId);
    return people.slice(0, MOST_TOLD).map(({ id }) => id);
  }
}
