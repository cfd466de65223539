import type { Database } from '../../db/database.ts';
import type { Hooks } from '../../hooks/index.ts';
import type { IdentityServices, PersonFacts } from '../../identity/index.ts';
import type { NotificationService } from '../../notifications/index.ts';
import type { SettingsService } from '../../settings/index.ts';
import type { Actor } from '../../shared/actor.ts';
import type { TicketServices } from '../../tickets/index.ts';
import type { Office, Persona, Team } from './cast.ts';
import type { StoryClock } from './story.ts';
import type { CategoryName } from './tales.ts';

/** The house in which the story is told, run by the clock of the story. No mail leaves it. */
export interface DemoHouse extends Pick<
  IdentityServices,
  'users' | 'memberships' | 'entityAdmin' | 'groupAdmin'
> {
  clock: StoryClock;
  db: Database;
  hooks: Hooks;
  settings: SettingsService;
  notifications: NotificationService;
  tickets: TicketServices;
  /** Where files lie that are about to be attached. */
  incoming: string;
}

/** Who and what has come into being so far. */
export class Stage {
  readonly offices = new Map<Office, string>();
  readonly teams = new Map<Team, string>();
  readonly categories = new Map<CategoryName, string>();
  readonly #house: Pick<DemoHouse, 'users'>;
  readonly #actors = new Map<string, Actor & { userId: string }>();

  constructor(house: Pick<DemoHouse, 'users'>) {
    this.#house = house;
  }

  async find({ email }: Pick<Persona, 'email'>): Promise<PersonFacts | null> {
    return this.#house.users.findByEmail(email);
  }

  /** As they act themselves, with the rights they really have. */
  async as({ email }: Pick<Persona, 'email'>): Promise<Actor & { userId: string }> {
    const known = this.#actors.get(email);
    if (known) return known;
    const person = await this.find({ email });
    const actor = person && (await this.#house.users.actorOf(person.id));
    if (!actor) throw new Error(`${email} has not come on stage yet`);
    const withId = Object.assign(actor, { userId: person.id });
    this.#actors.set(email, withId);
    return withId;
  }
}

export function idIn<K>(ids: ReadonlyMap<K, string>, name: K): string {
  const id = ids.get(name);
  if (id === undefined) throw new Error(`${String(name)} is not there yet`);
  return id;
}
