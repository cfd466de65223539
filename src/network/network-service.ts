import { customAlphabet } from 'nanoid';
import type { AuditService } from '../audit/index.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { boxIn, type SealedColumns } from '../crypto/sealed-columns.ts';
import type { Database, Tx } from '../db/database.ts';
import { pauseAfter } from '../jobs/index.ts';
import type { Log } from '../log.ts';
import type { SettingsService } from '../settings/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, KnownError } from '../shared/errors.ts';
import type { HubAnswer } from './hub-answer.ts';
import type { HubClient, HubCredentials, HubOutcome } from './hub-client.ts';
import {
  claimCheck,
  deleteKey,
  deleteOtherChecks,
  findCheck,
  findKey,
  findUid,
  hurryCheck,
  insertCheck,
  insertUid,
  noteCheck,
  putKey,
  replaceUid,
  type StoredKey,
} from './network-repository.ts';
import { hubOnThisMachine, hubUrl } from './network-settings.ts';
import { isOwnMachine } from './own-machine.ts';
import { markOf, problemOfKey, readPastedKey } from './pasted-key.ts';
import type { Sent } from './what-is-sent.ts';
import { lightOfAnswer, lightOfHub, type KeyLight, type NetworkStatus } from './registration.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  audit: Pick<AuditService, 'record'>;
  settings: SettingsService;
  /** Purpose `network`. */
  keys: KeyRing;
  hub: HubClient;
  /** What the environment says; it wins, and no page changes it. */
  given: { hubUrl?: string | undefined; key?: string | undefined };
  locale: () => Promise<string>;
  /** Where this house itself is reached. */
  ownOrigin: () => Promise<string>;
  /** Whether an administrator may let us call a hub on this machine; the operator may have said otherwise. */
  mayAskForNeighbour: () => Promise<boolean>;
}

/** A key, and the hub that may see it. */
interface Registration {
  hub: string;
  uid: string;
  key: string | null;
  light: KeyLight;
  mark: string | null;
  savedAt: number | null;
  problem?: string;
}

const HOUR_MS = 3_600_000;
const CALM = { everyMs: 6 * HOUR_MS };
const TROUBLED = { firstMs: 60_000, longestMs: 6 * HOUR_MS };
/** As long as a check may take, and a little. */
const CLAIM_MS = 30_000;
/** Whoever asks again sooner sees what was found just now. */
const HURRY_MS = 5_000;

/** As GLPI's: forty letters and digits. */
const newUid = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 40);

/**
 * The registration of this installation at a hub. People read what was stored; only the background asks the hub,
 * so that a hub that hangs or is gone holds nobody up.
 */
export class NetworkService {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  readonly #followers: ((answer: HubAnswer) => void)[] = [];
  #asking: Promise<void> = Promise.resolve();
  #alongside: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What lies sealed, for whoever tries all of it. */
  sealed(): SealedColumns[] {
    const { keys } = this.#deps;
    const contextOfRow = ({ hub }: Readonly<Record<string, unknown>>): string => contextOf(String(hub));
    return [{ table: 'network_key', id: 'place', keys, boxOf: boxIn('box'), contextOf: contextOfRow }];
  }

  /** Called when the hub has said something of the key; what else there is to ask it for need not wait for its turn. */
  whenHeard(follower: (answer: HubAnswer) => void): void {
    this.#followers.push(follower);
  }

  /** Something to be asked of the hub besides, one after the other and in the background. */
  alongside(work: () => Promise<void>): void {
    this.#alongside = this.#alongside.then(work).catch((error: unknown) => {
      this.#deps.log.info({ error }, 'The hub was not asked for more at once');
    });
  }

  /** Once all that is asked alongside has been. */
  settled(): Promise<void> {
    return this.#asking.then(() => this.#alongside);
  }

  async status(actor: Actor): Promise<NetworkStatus> {
    assertMayManage(actor);
    return this.standing();
  }

  /** The same for the house itself: what the gates of the marketplace go by. */
  async standing(): Promise<NetworkStatus> {
    const { db, given } = this.#deps;
    const { hub, uid, key, light, mark, savedAt, problem } = await this.#registration();
    const check = key === null ? null : await findCheck(db, this.#about(hub, uid, key));
    return {
      hub: {
        url: hub,
        isGiven: given.hubUrl !== undefined,
        light: lightOfHub(hub, check),
        neighbour: await this.#neighbour(hub),
      },
      key: {
        light: key === null ? light : lightOfAnswer(check?.answer ?? null),
        mark,
        isGiven: given.key !== undefined,
        savedAt,
        problem: problem ?? problemsOfLights[light] ?? null,
      },
      check,
      uid,
    };
  }

  /** What is shown to the hub when something is asked of it; null while there is nothing to show. */
  async credentials(): Promise<HubCredentials | null> {
    const { hub, uid, key } = await this.#registration();
    return key === null || hub === '' ? null : { hub, uid, key, locale: await this.#deps.locale() };
  }

  /** The very request with which the hub is asked about the key, for the page. */
  async nextSent(): Promise<Sent | null> {
    const credentials = await this.credentials();
    return credentials && this.#deps.hub.question(credentials);
  }

  /** Another hub gets no key that was given for this one. */
  async setHub(actor: Actor, typed: string): Promise<void> {
    assertMayManage(actor);
    const { db, given, settings } = this.#deps;
    if (given.hubUrl !== undefined) throw new ConflictError('network.hub-given');
    const parsed = hubUrl.schema.safeParse(typed.trim());
    if (!parsed.success)
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'url', code: 'network.hub-invalid' }],
      });
    await db.transaction((tx) => settings.set(tx, actor, hubUrl, parsed.data));
    this.#askSoon();
  }

  /** A vendor's own helpdesk is a customer of the hub in the same house. */
  async setOwnHub(actor: Actor): Promise<void> {
    await this.setHub(actor, await this.#deps.ownOrigin());
  }

  /** Lets us call this very address of our own machine, which calls from outside must not reach; nothing else there. */
  async allowNeighbour(actor: Actor, url: string): Promise<void> {
    assertMayManage(actor);
    const { db, settings } = this.#deps;
    const hub = await settings.get(hubUrl);
    if (url !== hub || (await this.#neighbour(hub)) === null) throw new ConflictError('network.no-neighbour');
    await db.transaction(async (tx) => {
      await settings.set(tx, actor, hubOnThisMachine, new URL(hub).origin);
      await this.#record(tx, actor, 'neighbour-allowed', { hub });
    });
    // What was found a moment ago was our own refusal.
    if ((await this.credentials()) !== null) await this.#hurry(0);
    this.#askSoon();
  }

  /** Asked at each call, so that it ends with the hub it was for. */
  async isAllowedNeighbour(url: URL): Promise<boolean> {
    const { settings, mayAskForNeighbour, given } = this.#deps;
    if (given.hubUrl !== undefined || !isOwnMachine(url)) return false;
    const origins = [await settings.get(hubOnThisMachine), URL.parse(await settings.get(hubUrl))?.origin];
    return origins.every((origin) => origin === url.origin) && (await mayAskForNeighbour());
  }

  /** Judged without asking anybody, kept whether or not the hub can be reached. */
  async setKey(actor: Actor, pasted: string): Promise<void> {
    assertMayManage(actor);
    const { db, clock } = this.#deps;
    this.#assertNotGiven();
    const key = readPastedKey(pasted);
    const { hub, uid } = await this.#registration();
    if (hub === '') throw new ConflictError('network.no-hub');
    const now = clock.now();
    await db.transaction(async (tx) => {
      await putKey(tx, this.#sealed(hub, key, now));
      await insertCheck(tx, this.#about(hub, uid, key), now);
      await deleteOtherChecks(tx, this.#about(hub, uid, key));
      await this.#record(tx, actor, 'key-saved', { hub, key: markOf(key) });
    });
    this.#askSoon();
  }

  async removeKey(actor: Actor): Promise<void> {
    assertMayManage(actor);
    this.#assertNotGiven();
    await this.#deps.db.transaction(async (tx) => {
      if (!(await deleteKey(tx))) throw new ConflictError('network.no-key');
      await deleteOtherChecks(tx, null);
      await this.#record(tx, actor, 'key-removed', {});
    });
  }

  /** Lets the background ask at once; nobody waits for it. */
  async checkSoon(actor: Actor): Promise<void> {
    assertMayManage(actor);
    await this.#hurry();
    this.#askSoon();
  }

  /** For the command line, where somebody does wait. */
  async checkNow(actor: Actor): Promise<NetworkStatus> {
    assertMayManage(actor);
    await this.#hurry();
    await this.refresh();
    await this.settled();
    return this.status(actor);
  }

  /** For a copy of an installation: it forgets the registration, and is somebody else to every hub from now on. */
  async resetIdentity(actor: Actor): Promise<void> {
    assertMayManage(actor);
    const { db, clock } = this.#deps;
    await db.transaction(async (tx) => {
      await replaceUid(tx, newUid(), clock.now());
      await deleteKey(tx);
      await deleteOtherChecks(tx, null);
      await this.#record(tx, actor, 'identity-reset', {});
    });
  }

  /** Asks the hub if it is time to, after whatever is being asked already. */
  refresh(): Promise<void> {
    const turn = this.#asking.then(() => this.#askIfDue());
    this.#asking = turn.catch((error: unknown) => {
      this.#deps.log.warn({ error }, 'The hub could not be asked');
    });
    return turn;
  }

  /** Breaks off what waits for the hub, so that the database may go. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.settled();
  }

  /** One process of the cluster asks. */
  async #askIfDue(): Promise<void> {
    const { db, clock, hub: client, locale } = this.#deps;
    const { hub, uid, key } = await this.#registration();
    if (key === null) return;
    const about = this.#about(hub, uid, key);
    const now = clock.now();
    if ((await findCheck(db, about)) === null) await db.transaction((tx) => insertCheck(tx, about, now));
    if (!(await db.transaction((tx) => claimCheck(tx, about, { now, until: now + CLAIM_MS })))) return;
    const question = { hub, key, uid, locale: await locale(), signal: this.#ending.signal };
    const outcome = await client.ask(question);
    // What was broken off says nothing of the hub.
    if (this.#ending.signal.aborted) return;
    await this.#note(about, outcome);
    if ('answer' in outcome) for (const follower of this.#followers) follower(outcome.answer);
  }

  /** Failures are logged by then; nobody waits. */
  #askSoon(): void {
    this.refresh().catch(() => undefined);
  }

  async #hurry(pauseMs = HURRY_MS): Promise<void> {
    const { db, clock } = this.#deps;
    const { hub, uid, key } = await this.#registration();
    if (key === null) throw new ConflictError('network.no-key');
    const now = clock.now();
    const about = this.#about(hub, uid, key);
    await db.transaction((tx) => hurryCheck(tx, about, { now, notSince: now - pauseMs + 1 }));
  }

  async #note(about: Buffer, outcome: HubOutcome): Promise<void> {
    const { db, clock } = this.#deps;
    const before = await findCheck(db, about);
    const now = clock.now();
    if ('answer' in outcome) {
      const seen = {
        answer: outcome.answer,
        answeredAt: now,
        problem: null,
        failingSince: null,
        failures: 0,
      };
      const nextAt = now + CALM.everyMs;
      await db.transaction((tx) => noteCheck(tx, about, { ...seen, checkedAt: now, nextAt }));
      return;
    }
    const failures = (before?.failures ?? 0) + 1;
    const { problem } = outcome;
    const failingSince = before?.failingSince ?? now;
    const nextAt = now + pauseAfter(failures, TROUBLED);
    await db.transaction((tx) =>
      noteCheck(tx, about, { problem, failures, failingSince, checkedAt: now, nextAt }),
    );
  }

  async #registration(): Promise<Registration> {
    const { db, given, settings } = this.#deps;
    const hub = given.hubUrl ?? (await settings.get(hubUrl));
    const uid = await this.#uid();
    if (given.key !== undefined) return { hub, uid, savedAt: null, ...this.#readGiven(given.key) };
    const stored = await findKey(db);
    if (!stored) return { hub, uid, key: null, light: 'none', mark: null, savedAt: null };
    const { mark, savedAt } = stored;
    if (stored.hub !== hub) return { hub, uid, key: null, light: 'other-hub', mark, savedAt };
    return { hub, uid, mark, savedAt, ...this.#opened(stored) };
  }

  #readGiven(text: string): Pick<Registration, 'key' | 'light' | 'mark' | 'problem'> {
    try {
      const key = readPastedKey(text);
      return { key, light: 'unconfirmed', mark: markOf(key) };
    } catch (error) {
      if (!(error instanceof KnownError)) throw error;
      return { key: null, light: 'unreadable', mark: null, problem: problemOfKey(error) };
    }
  }

  #opened({ hub, boxText, boxNonce, boxKey }: StoredKey): Pick<Registration, 'key' | 'light'> {
    const sealed = { keyId: boxKey, nonce: boxNonce, ciphertext: boxText };
    try {
      return { key: this.#deps.keys.open(sealed, contextOf(hub)), light: 'unconfirmed' };
    } catch (error) {
      if (error instanceof KnownError) return { key: null, light: 'unreadable' };
      throw error;
    }
  }

  #sealed(hub: string, key: string, now: number): StoredKey {
    const { keyId, nonce, ciphertext } = this.#deps.keys.seal(key, contextOf(hub));
    return { hub, mark: markOf(key), boxText: ciphertext, boxNonce: nonce, boxKey: keyId, savedAt: now };
  }

  async #neighbour(hub: string): Promise<NetworkStatus['hub']['neighbour']> {
    const { given, ownOrigin, mayAskForNeighbour } = this.#deps;
    const url = given.hubUrl === undefined ? URL.parse(hub) : null;
    if (url === null || !isOwnMachine(url) || url.origin === URL.parse(await ownOrigin())?.origin)
      return null;
    if (!(await mayAskForNeighbour())) return null;
    return (await this.isAllowedNeighbour(url)) ? 'allowed' : 'asked';
  }

  async #uid(): Promise<string> {
    const { db, clock } = this.#deps;
    const known = await findUid(db);
    if (known !== null) return known;
    await db.transaction((tx) => insertUid(tx, newUid(), clock.now()));
    return (await findUid(db)) ?? '';
  }

  /** What a check was about, so that an answer never counts for another key, hub or installation. */
  #about(hub: string, uid: string, key: string): Buffer {
    return this.#deps.keys.mac('check', [hub, uid, key].join('\n')).digest;
  }

  #assertNotGiven(): void {
    if (this.#deps.given.key !== undefined) throw new ConflictError('network.key-given');
  }

  #record(tx: Tx, actor: Actor, what: string, after: Record<string, unknown>): Promise<void> {
    return this.#deps.audit.record(tx, actor, {
      action: `network.${what}`,
      subject: { type: 'network', id: 'registration', label: 'registration' },
      after,
    });
  }
}

const problemsOfLights: Partial<Record<KeyLight, string>> = {
  none: 'K01',
  unreadable: 'K13',
  'other-hub': 'K05',
};

/** Sealed for one hub: moved to another it does not open. */
const contextOf = (hub: string): string => `network-key|${hub}`;

function assertMayManage(actor: Actor): void {
  if (!actor.can('network.manage')) throw new ForbiddenError('forbidden');
}
