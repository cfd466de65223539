import {
  demoSeeding,
  type Actor,
  type DemoNewcomer,
  type DemoPeriod,
  type DemoScene,
  type DemoScenery,
  type Host,
} from 'latchkey/plugin-api';
import type { ApprovalService } from './people/approval-service.ts';
import type { KeyService } from './keys/key-service.ts';
import { DAY_MS, type KeyDraft } from './keys/key-terms.ts';
import type { RedeemService } from './join/redeem-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  redeem: RedeemService;
  approvals: ApprovalService;
}

type Person = Pick<DemoNewcomer, 'name' | 'email' | 'locale'>;

const HOUR_MS = 3_600_000;
const visitor = { browser: null, mailing: null, network: '198.51.100.0/24' };
const freelancer = (email: string): boolean => email.endsWith('@example.org');

const waiting: Person = { name: 'Nora Feldmann', email: 'nora.feldmann@example.org', locale: 'en' };
const declined: Person = { name: 'Buy Cheap Toner', email: 'toner-offers@example.org', locale: 'en' };

/** A key in every state a key can be in, and people who came by them, for `latchkey seed demo`. */
export function playInDemo({ host, keys, redeem, approvals }: Deps): void {
  host.filter(demoSeeding, (scenes, period) => [
    ...scenes,
    ...scenesOf(period, new Doorkeeper({ host, keys, redeem, approvals })),
  ]);
}

function scenesOf({ from, until, newcomers }: DemoPeriod, door: Doorkeeper): DemoScene[] {
  const scenes: DemoScene[] = [];
  const on = (at: number, play: DemoScene['play']): void => void scenes.push({ at, play });
  const day = (count: number): number => from + count * DAY_MS + 9 * HOUR_MS;
  const ago = (days: number): number => until - days * DAY_MS + 10 * HOUR_MS;
  const ahead = (days: number): number => until + days * DAY_MS;
  const joining = (entity: string): DemoNewcomer[] =>
    newcomers.filter((one) => one.entity === entity && !freelancer(one.email));

  on(
    day(2),
    door.mints('paris', 'Paris', {
      label: 'Paris office',
      maxUses: 25,
      expiresAt: ahead(30),
      note: 'Welcome to the helpdesk. It takes a minute.',
    }),
  );
  on(
    day(9),
    door.mints('berlin', 'Berlin', {
      label: 'Berlin office, new floor',
      maxUses: Math.max(1, joining('Berlin').length),
      expiresAt: ahead(20),
    }),
  );
  on(
    day(10),
    door.mints('lyon', 'Lyon', { label: 'Lyon trainees, autumn', maxUses: 12, expiresAt: day(40) }),
  );
  on(
    day(30),
    door.mints('freelancers', 'Paris', {
      label: 'Freelancers',
      maxUses: 10,
      expiresAt: ahead(60),
      approval: 'manual',
      note: 'We look at every request by hand, usually within a day.',
    }),
  );
  on(ago(45), door.mints('leaked', 'Lyon', { label: 'Service partners', maxUses: 50, expiresAt: ahead(40) }));
  on(ago(44), door.revokes('leaked'));
  on(
    ago(20),
    door.mints('workshop', 'Berlin', { label: 'Workshop guests', maxUses: 30, expiresAt: ahead(25) }),
  );
  on(ago(5), door.pauses('workshop'));
  on(
    ago(4),
    door.mints('open-day', 'Lyon', {
      label: 'Open day',
      maxUses: 60,
      notBefore: ahead(7),
      expiresAt: ahead(8),
    }),
  );
  on(
    ago(3),
    door.mints('one-person', 'Paris', {
      label: 'For Renée Castel',
      maxUses: 1,
      email: 'renee.castel@acme.example',
      emailProof: 'required',
      expiresAt: ahead(5),
    }),
  );

  for (const [name, entity] of [
    ['paris', 'Paris'],
    ['berlin', 'Berlin'],
    ['lyon', 'Lyon'],
  ] as const) {
    for (const person of joining(entity)) on(person.at, door.letsIn(name, person));
  }
  for (const person of newcomers.filter(({ email }) => freelancer(email))) {
    on(person.at, door.letsIn('freelancers', person));
    on(person.at + HOUR_MS, door.approves(person));
  }
  on(ago(12), door.letsIn('freelancers', declined));
  on(ago(12) + 2 * HOUR_MS, door.declines(declined, 'Not one of our suppliers.'));
  on(ago(1), door.letsIn('freelancers', waiting));
  return scenes;
}

type Play = (scenery: DemoScenery) => Promise<void>;

/** Opens and closes the doors of the demo by the same services that pages and programs use. */
class Doorkeeper {
  readonly #deps: Deps;
  readonly #keyIds = new Map<string, string>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  mints =
    (name: string, place: string, draft: KeyDraft): Play =>
    async ({ administrator, entities }) => {
      const entity = entities.find((one) => one.name === place)?.id;
      const terms = {
        emailProof: 'none' as const,
        profile: 'self-service',
        ...draft,
        ...(entity === undefined ? {} : { entity }),
      };
      const { key } = await this.#deps.keys.mint(administrator, terms);
      this.#keyIds.set(name, key.id);
    };

  pauses =
    (name: string): Play =>
    async ({ administrator }) => {
      await this.#deps.keys.pause(administrator, this.#idOf(name));
    };

  revokes =
    (name: string): Play =>
    async ({ administrator }) => {
      await this.#deps.keys.revoke(administrator, this.#idOf(name));
    };

  letsIn =
    (name: string, { email, name: called, locale }: Person): Play =>
    async ({ administrator, password }) => {
      const key = await this.#deps.keys.get(administrator, this.#idOf(name));
      const form = { redeemId: crypto.randomUUID(), email, name: called, password, locale, answers: {} };
      await this.#deps.redeem.redeem(key, form, visitor);
    };

  approves =
    (person: Person): Play =>
    async ({ administrator }) => {
      await this.#deps.approvals.approve(administrator, await this.#seatOf(administrator, person));
    };

  declines =
    (person: Person, reason: string): Play =>
    async ({ administrator }) => {
      await this.#deps.approvals.decline(administrator, await this.#seatOf(administrator, person), reason);
    };

  async #seatOf(actor: Actor, { email }: Person): Promise<string> {
    const { items } = await this.#deps.approvals.listWaiting(actor, { page: 1, perPage: 100 });
    const seat = items.find((one) => one.email === email);
    if (!seat) throw new Error(`${email} does not wait for approval`);
    return seat.redemption.id;
  }

  #idOf(name: string): string {
    const id = this.#keyIds.get(name);
    if (id === undefined) throw new Error(`The key ${name} was not made yet`);
    return id;
  }
}
