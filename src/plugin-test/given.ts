import type { Latchkey } from '../compose.ts';
import { BUILT_IN_PROFILES, ROOT_ENTITY_ID } from '../identity/index.ts';
import { settingTokenOf } from '../plugin-host/index.ts';
import type { SettingToken } from '../settings/index.ts';
import { system } from '../shared/actor.ts';
import { OWNER } from './house.ts';
import type { Answer, HttpClient } from './http-client.ts';

export interface Person {
  id: string;
  email: string;
  name: string;
}

export interface PersonDraft {
  name?: string;
  email?: string;
  /** Without one there is nothing to sign in with, and nothing to wait for: `as(person)` opens a session all the same. */
  password?: string;
  locale?: 'en' | 'fr';
  /** A built-in profile, or the id of another. */
  profile?: string;
  /** The entity the profile holds in; the top unless said. */
  entityId?: string;
  recursive?: boolean;
}

export interface TicketDraft {
  title?: string;
  description?: string;
  requester?: Person;
  [field: string]: unknown;
}

export interface InvitationKey {
  id: string;
  /** The secret, as the minter saw it. */
  key: string;
  url: string;
}

/** What is needed of an app to put people into it. */
interface Place {
  house: Latchkey;
  /** Whose settings are called by their names alone. */
  plugin?: string;
  api(person: Person): HttpClient;
}

/** The people and things a test begins with; whatever it does not name is made up. */
export class Given {
  readonly #app: Place;
  #count = 0;

  constructor(app: Place) {
    this.#app = app;
  }

  /** Who set the house up, with every right; the password is `OWNER.password`. */
  async owner(): Promise<Person> {
    const owner = await this.#app.house.domains.users.findByEmail(OWNER.email);
    if (!owner) throw new Error('This house has no owner yet');
    return owner;
  }

  async user(draft: PersonDraft = {}): Promise<Person> {
    const { users, memberships } = this.#app.house.domains;
    this.#count += 1;
    const {
      name = `${firstNames[this.#count % firstNames.length] ?? ''} ${String(this.#count)}`,
      email = `person${String(this.#count)}@example.org`,
      profile = 'self-service',
      entityId = ROOT_ENTITY_ID,
      recursive = true,
      locale = 'en',
      password,
    } = draft;
    const prepared = await users.prepare(
      { email, name, locale, ...(password === undefined ? {} : { password }) },
      { lane: 'sign-in' },
    );
    return this.#app.house.ground.db.transaction(async (tx) => {
      const person = await users.insert(tx, prepared, { actor: system, emailProven: true });
      const grant = { userId: person.id, profileId: profileId(profile), entityId, recursive };
      await memberships.grant(tx, grant, { actor: system });
      return person;
    });
  }

  technician(draft: PersonDraft = {}): Promise<Person> {
    return this.user({ profile: 'technician', ...draft });
  }

  administrator(draft: PersonDraft = {}): Promise<Person> {
    return this.user({ profile: 'administrator', ...draft });
  }

  /** A ticket as its requester opens it, through the API. */
  async ticket(
    draft: TicketDraft = {},
  ): Promise<{ ticket: Record<string, unknown> & { id: string; number: number }; requester: Person }> {
    const { requester = await this.user(), ...fields } = draft;
    const answer = await this.#app.api(requester).call('POST', '/api/v1/tickets', {
      title: 'The printer jams',
      description: 'Since this morning, on the second floor.',
      ...fields,
    });
    return { ticket: expectCreated(answer), requester };
  }

  /** A key that admits anybody at once, unless said otherwise; minted by the owner through the API. */
  async invitationKey(draft: Record<string, unknown> = {}, minter?: HttpClient): Promise<InvitationKey> {
    const api = minter ?? this.#app.api(await this.owner());
    const answer = await api.call('POST', '/api/v1/invitation-keys', {
      label: 'New colleagues',
      maxUses: 10,
      profile: 'self-service',
      emailProof: 'none',
      ...draft,
    });
    return expectCreated(answer);
  }

  /** One of the plugin's own, secret or not, as `plugin.json` calls it; or one of core's, by its token. */
  setting(name: string, value: string | number | boolean): Promise<void>;
  setting<T>(token: SettingToken<T>, value: T): Promise<void>;
  async setting(setting: string | SettingToken<unknown>, value: unknown): Promise<void> {
    const { db, settings } = this.#app.house.ground;
    const token = typeof setting === 'string' ? this.#ownSetting(setting) : setting;
    await db.transaction((tx) => settings.set(tx, system, token, value));
  }

  #ownSetting(name: string): SettingToken<unknown> {
    const { house, plugin = '' } = this.#app;
    const manifest = house.plugins.manifestOf(plugin);
    const setting = manifest?.settings.find((declared) => declared.name === name);
    if (!manifest || !setting) throw new Error(`plugin.json of ${plugin} has no setting "${name}"`);
    return settingTokenOf(manifest, setting);
  }
}

const firstNames = ['Ada', 'Blaise', 'Chloé', 'Dunja', 'Émile', 'Fatima', 'Goran', 'Hana'];

const isBuiltIn = (profile: string): profile is keyof typeof BUILT_IN_PROFILES =>
  profile in BUILT_IN_PROFILES;

const profileId = (profile: string): string => (isBuiltIn(profile) ? BUILT_IN_PROFILES[profile] : profile);

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the expectations judge what an API answers
function expectCreated(answer: Answer): any {
  if (answer.status !== 201) throw new Error(`Expected 201, got ${String(answer.status)}: ${answer.text}`);
  return answer.json();
}
