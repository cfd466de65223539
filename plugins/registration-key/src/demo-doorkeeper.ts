import { setTimeout as pass } from 'node:timers/promises';
import type { Actor, DemoNewcomer, DemoScenery, Host } from 'latchkey/plugin-api';
import type { CopyService } from './copies/copy-service.ts';
import type { Funnel } from './insight/funnel.ts';
import type { RedeemService } from './join/redeem-service.ts';
import type { InvitationKey } from './keys/invitation-key.ts';
import type { KeyService } from './keys/key-service.ts';
import type { KeyDraft } from './keys/key-terms.ts';
import type { PresetBook } from './keys/preset-book.ts';
import { noTerms } from './mailings/round.ts';
import type { RoundService } from './mailings/round-service.ts';
import type { ApprovalService } from './people/approval-service.ts';
import type { RequestService } from './requests/request-service.ts';
import type { StepDraft } from './steps/step.ts';
import type { StepService } from './steps/step-service.ts';

export interface DemoServices {
  host: Host;
  keys: KeyService;
  redeem: RedeemService;
  approvals: ApprovalService;
  copies: CopyService;
  presets: PresetBook;
  funnel: Funnel;
  steps: StepService;
  requests: RequestService;
  rounds: RoundService;
}

export type Person = Pick<DemoNewcomer, 'name' | 'email' | 'locale'>;

const NETWORK = '198.51.100.0/24';
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SCANNER = 'Mozilla/5.0 (compatible; Barracuda Sentinel; scanner)';

export type Play = (scenery: DemoScenery) => Promise<void>;

/** Opens and closes the doors of the demo by the same services that pages and programs use. */
export class Doorkeeper {
  readonly #deps: DemoServices;
  readonly #keyIds = new Map<string, string>();
  readonly #copyIds = new Map<string, string>();

  constructor(deps: DemoServices) {
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

  copies =
    (name: string, place: string): Play =>
    async ({ administrator }) => {
      const { copy } = await this.#deps.copies.make(administrator, this.#idOf(name), place);
      this.#copyIds.set(`${name}|${place}`, copy.id);
    };

  keepsPreset =
    (name: string, called: string): Play =>
    async ({ administrator }) => {
      await this.#deps.presets.keep(administrator, this.#idOf(name), called);
    };

  writesPage =
    (draft: StepDraft): Play =>
    async ({ administrator }) => {
      await this.#deps.steps.add(administrator, draft);
    };

  /** A list that was pasted and looked at, and waits for somebody to decide. */
  reads =
    (text: string, source: string): Play =>
    async ({ administrator }) => {
      await this.#deps.rounds.open(administrator, { text, source });
    };

  /** From now on the key works only for the staff numbers on the list. */
  lists =
    (name: string, text: string, source: string): Play =>
    async ({ administrator }) => {
      const { rounds } = this.#deps;
      const draft = await rounds.open(administrator, {
        text,
        source,
        keyId: this.#idOf(name),
        byNumber: true,
      });
      const terms = { ...noTerms, mails: false, keepsAddresses: false };
      await rounds.start(administrator, draft.id, { kind: 'roster', message: '', locale: null, terms });
      while ((await rounds.get(administrator, draft.id)).round.state === 'sending') await pass(5);
    };

  /** People who look and leave, and a program that checks links. */
  isLookedAt =
    (name: string, times: number): Play =>
    async () => {
      const { funnel } = this.#deps;
      for (let time = 0; time < times; time += 1) this.#opens(this.#idOf(name), null);
      const link = { name: crypto.randomUUID(), keyId: this.#idOf(name), copyId: null };
      funnel.followed(link, { userAgent: SCANNER, isHead: true }, null);
      await funnel.flush();
    };

  asks =
    (name: string, { locale, ...person }: Person, message: string): Play =>
    async ({ administrator }) => {
      const key = await this.#deps.keys.get(administrator, this.#idOf(name));
      await this.#deps.requests.ask(key, { ...person, locale, message }, NETWORK);
    };

  letsIn =
    (name: string, { email, name: called, locale }: Person, place = ''): Play =>
    async ({ administrator, password }) => {
      const key = await this.#deps.keys.get(administrator, this.#idOf(name));
      const copyId = this.#copyIds.get(`${name}|${place}`) ?? null;
      const handle = this.#opens(key.id, copyId);
      this.#deps.funnel.started(handle);
      const answers = answersTo(key);
      const form = { redeemId: crypto.randomUUID(), email, name: called, password, locale, answers };
      await this.#deps.redeem.redeem(key, form, { browser: null, mailing: null, network: NETWORK, copyId });
      await this.#deps.funnel.flush();
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

  #opens(keyId: string, copyId: string | null): Parameters<Funnel['started']>[0] {
    const handle = { name: crypto.randomUUID(), keyId, copyId };
    const visit = { userAgent: BROWSER, isHead: false };
    this.#deps.funnel.followed(handle, visit, null);
    this.#deps.funnel.seen(handle, visit);
    return handle;
  }

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

const answersTo = ({ carries }: Pick<InvitationKey, 'carries'>): Record<string, string> =>
  Object.fromEntries(
    carries.questions.map(({ name, kind, options }) => [
      name,
      kind === 'choice' ? (options[0] ?? '') : '1042',
    ]),
  );
