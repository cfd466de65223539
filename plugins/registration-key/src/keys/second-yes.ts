import type { Actor, Host } from 'latchkey/plugin-api';
import type { InvitationKey, KeyTerms } from './invitation-key.ts';
import type { Places } from './places.ts';

const MANAGE = 'registration-key.manage';
/** Whoever may say yes hears of it; in a house with more of them than this, enough do. */
const MOST_TOLD = 100;

/** A key that makes people of the staff needs the yes of somebody else, wherever there is somebody else. */
export class SecondYes {
  readonly #host: Host;
  readonly #places: Places;

  constructor({ host, places }: { host: Host; places: Places }) {
    this.#host = host;
    this.#places = places;
    host.notices.addKind({
      id: `${host.plugin.id}.second-approval`,
      text: 'registration-key:notice.second-approval',
      label: 'registration-key:notice-kind.second-approval',
      icon: 'checks',
      bell: true,
      mail: true,
    });
  }

  /** Where only one person could say yes, waiting for a second would be waiting for ever. */
  async isNeeded(
    actor: Actor,
    { profileId, entityId }: Pick<KeyTerms, 'profileId' | 'entityId'>,
  ): Promise<boolean> {
    const asked = await this.#host.settings.get<'off' | 'administrators' | 'staff'>('secondApproval');
    if (asked === 'off') return false;
    const profile = (await this.#host.memberships.profiles()).find(({ id }) => id === profileId);
    if (!profile) return false;
    const isConcerned = this.#places.isStaff(profile) || (asked === 'staff' && profile.kind === 'staff');
    return isConcerned && (await this.#others(actor.userId, entityId)).length > 0;
  }

  /** Who is asked, by name, for the page of the key. */
  async namesOf(key: Pick<InvitationKey, 'askedBy' | 'entityId'>): Promise<string[]> {
    return (await this.#others(key.askedBy, key.entityId)).map(({ name }) => name);
  }

  /** By bell and by mail, as each of them has chosen: a house without mail must hear of it, too. */
  async tellOthers(key: InvitationKey): Promise<void> {
    const host = this.#host;
    const [others, { organisation, origin }] = [
      await this.#others(key.askedBy, key.entityId),
      await host.site(),
    ];
    const params = {
      name: key.ownerName,
      label: key.label === '' ? `${key.hint}…` : key.label,
      profile: (await this.#places.names()).profile(key.profileId),
    };
    const link = `/invitation-keys/${key.id}`;
    await host.transaction((tx) =>
      host.notices.notify(tx, {
        userIds: others.slice(0, MOST_TOLD).map(({ id }) => id),
        kind: `${host.plugin.id}.second-approval`,
        subject: { type: 'invitation-key', id: key.id },
        entityId: key.entityId,
        link,
        params,
        mail: {
          template: `${host.plugin.id}/mail/second-approval`,
          model: { ...params, organisation, link: `${origin}${link}` },
        },
      }),
    );
  }

  async #others(asker: string | null, entityId: string): Promise<PersonOf[]> {
    const people = await this.#host.users.withRight(MANAGE, entityId);
    return people.filter(({ id, status }) => id !== asker && status === 'active');
  }
}

type PersonOf = Awaited<ReturnType<Host['users']['withRight']>>[number];
