import { ForbiddenError, InvalidInputError, type Actor, type Host } from 'latchkey/plugin-api';

export type ProfileFacts = Awaited<ReturnType<Host['memberships']['profiles']>>[number];
export type EntityFacts = Awaited<ReturnType<Host['memberships']['entities']>>[number];
export type GroupFacts = Awaited<ReturnType<Host['memberships']['groups']>>[number];

const USUAL_PROFILE = 'self-service';
const administrative = ['administrator', 'super-admin'];

/** Profiles, entities and groups as people name them. */
export class Places {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** By id, key or name; left out, it is self-service where this actor may invite. */
  async of(
    actor: Actor,
    wanted: { profile?: string; entity?: string },
  ): Promise<{ profile: ProfileFacts; entity: EntityFacts }> {
    const entities = await this.#host.memberships.entities();
    const profile = await this.profile(wanted.profile ?? USUAL_PROFILE);
    const mine = entities.filter(({ id }) => actor.can('registration-key.mint', id));
    const entity =
      wanted.entity === undefined
        ? mine[0]
        : entities.find(({ id, name: called }) => id === wanted.entity || called === wanted.entity);
    if (!entity && wanted.entity === undefined) throw new ForbiddenError('invitation.may_not_mint');
    if (!entity) throw unknown('entity', 'invitation.unknown_entity');
    return { profile, entity };
  }

  async profile(name: string): Promise<ProfileFacts> {
    const profiles = await this.#host.memberships.profiles();
    const profile = profiles.find(({ id, key }) => id === name || key === name);
    if (!profile) throw unknown('profile', 'invitation.unknown_profile');
    return profile;
  }

  /** Whether people with this profile run the house. */
  isStaff = ({ key, rights }: ProfileFacts): boolean =>
    administrative.includes(key) ||
    rights.some((right) => /^(user|profile|plugin|settings)\.manage$/.test(right));

  /** What a form may offer this actor. */
  async offered(
    actor: Actor,
  ): Promise<{ profiles: ProfileFacts[]; entities: EntityFacts[]; groups: GroupFacts[] }> {
    const { memberships } = this.#host;
    const entities = (await memberships.entities()).filter(({ id }) =>
      actor.can('registration-key.mint', id),
    );
    const groups = await memberships.groups();
    return { profiles: await memberships.profiles(), entities, groups };
  }

  async names(): Promise<{
    profile(id: string): string;
    entity(id: string): string;
    group(id: string): string;
  }> {
    const { memberships } = this.#host;
    const named = (list: { id: string; name: string }[]): ((id: string) => string) => {
      const byId = new Map(list.map(({ id, name }) => [id, name]));
      return (id) => byId.get(id) ?? '';
    };
    return {
      profile: named(await memberships.profiles()),
      entity: named(await memberships.entities()),
      group: named(await memberships.groups()),
    };
  }
}

const unknown = (field: string, code: string): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field, code }] });
