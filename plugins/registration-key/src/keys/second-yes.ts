import type { Actor, Host } from 'latchkey/plugin-api';
import type { InvitationKey, KeyTerms } from './invitation-key.ts';
import type { Places } from './places.ts';

const MANAGE = 'registration-key.manage';
const MOST_LETTERS = 5;

/** A key that makes people of the staff needs the yes of somebody else, wherever there is somebody else. */
export class SecondYes {
  readonly #host: Host;
  readonly #places: Places;

  constructor({ host, places }: { host: Host; places: Places }) {
    this.#host = host;
    this.#places = places;
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

  async tellOthers(key: InvitationKey): Promise<void> {
    const host = this.#host;
    if (!host.mail.isOn) return;
    const [others, { organisation, origin }] = [
      await this.#others(key.askedBy, key.entityId),
      await host.site(),
    ];
    const profile = (await this.#places.names()).profile(key.profileId);
    await host.transaction(async (tx) => {
      for (const person of others.slice(0, MOST_LETTERS)) {
        await host.mail.queue(tx, {
          to: { email: person.email, name: person.name },
          template: `${host.plugin.id}/mail/second-approval`,
          kind: 'second-approval',
          locale: person.locale,
          reference: key.id,
          model: {
            name: key.ownerName,
            label: key.label,
            profile,
            organisation,
            url: `${origin}/invitation-keys/${key.id}`,
          },
        });
      }
    });
  }

  async #others(asker: string | null, entityId: string): Promise<PersonOf[]> {
    const people = await this.#host.users.withRight(MANAGE, entityId);
    return people.filter(({ id, status }) => id !== asker && status === 'active');
  }
}

type PersonOf = Awaited<ReturnType<Host['users']['withRight']>>[number];
