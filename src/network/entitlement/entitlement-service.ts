import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Database } from '../../db/database.ts';
import type { Log } from '../../log.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Clock } from '../../shared/clock.ts';
import { ConflictError, InvalidInputError } from '../../shared/errors.ts';
import type { TrustedHub } from '../trust/trust-repository.ts';
import type { TrustService } from '../trust/trust-service.ts';
import { entitledNow, nothing, type Entitled } from './entitled.ts';
import {
  readEntitlement,
  type Entitlement,
  type EntitlementProblem,
  type Expected,
} from './entitlement-document.ts';
import { headersFor, type HubCredentials } from '../hub-client.ts';
import type { Sent } from '../what-is-sent.ts';
import {
  announce,
  claimCheckIn,
  findAnnounced,
  findEntitlement,
  nextCheckIn,
  noteProblem,
  storeEntitlement,
  type CheckInMarks,
  type StoredEntitlement,
} from './entitlement-repository.ts';

interface InstalledPlugin {
  id: string;
  version: string;
}

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  keys: KeyRing;
  outbound: Pick<Outbound, 'send'>;
  trust: Pick<TrustService, 'confirmedHub' | 'rules' | 'nowOf' | 'correctTime'>;
  version: string;
  credentials: () => Promise<HubCredentials | null>;
}

/** All that a check-in tells; at most 1 KB, and shown on the page. */
interface CheckIn {
  nonce: string;
  counter: number;
  latchkey: string;
  plugins: InstalledPlugin[];
}

export interface EntitlementStatus extends Entitled {
  document: Entitlement | null;
  problem: EntitlementProblem | null;
}

/** The paper at hand, and what it has to be held against. */
interface Held {
  credentials: HubCredentials;
  hub: TrustedHub;
  about: Buffer;
  expected: Expected;
  stored: StoredEntitlement | null;
  read: ReturnType<typeof readEntitlement> | null;
}

const HOUR_MS = 3_600_000;
const EVERY_MS = 24 * HOUR_MS;
const AGAIN_MS = HOUR_MS;
const CLAIM_MS = 60_000;
const MOST_TOLD = 1_024;
const answer = z.object({ document: z.string().max(8_192) });

/** What this installation is entitled to, on paper that the hub has signed and that needs no hub to be read. */
export class EntitlementService {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  #installed: () => Promise<InstalledPlugin[]> = () => Promise.resolve([]);

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What a check-in tells of; the plugins stand on a higher floor. */
  tellOf(installed: () => Promise<InstalledPlugin[]>): void {
    this.#installed = installed;
  }

  /** From what is stored; asks nobody. */
  async status(): Promise<EntitlementStatus> {
    const held = await this.#held();
    if (!held) return { ...nothing, document: null, problem: null };
    const { hub, stored, read } = held;
    if (!stored || !read) return { ...nothing, document: null, problem: null };
    if ('problem' in read) return { ...nothing, document: null, problem: read.problem };
    const { clock, trust } = this.#deps;
    const times = { now: trust.nowOf(hub), clock: clock.now(), revokedSince: stored.revokedSince };
    return { ...entitledNow(read.entitlement, times), document: read.entitlement, problem: stored.problem };
  }

  /** What the hub says of the key now: a paper that is missing, or is about another offer, is asked for at once. */
  async hear(offer: string | null): Promise<void> {
    const { db, clock } = this.#deps;
    const held = this.#ending.signal.aborted ? null : await this.#held();
    if (!held) return;
    const known = held.read && 'entitlement' in held.read ? held.read.entitlement.offer : null;
    if (known === null || known !== offer) await db.transaction((tx) => nextCheckIn(tx, clock.now()));
    await this.refresh();
  }

  /** Asks the hub for a new paper if it is time to; one process of the cluster. */
  async refresh(): Promise<void> {
    const { db, clock } = this.#deps;
    const held = this.#ending.signal.aborted ? null : await this.#held();
    if (!held) return;
    const now = clock.now();
    const claim = { now, until: now + CLAIM_MS, fresh: newNonce() };
    const marks = await db.transaction((tx) => claimCheckIn(tx, claim));
    if (marks === null) return;
    const isWell = await this.#checkIn(held.credentials, await this.#told(marks), 'check-in');
    await db.transaction((tx) => nextCheckIn(tx, clock.now() + (isWell ? EVERY_MS : AGAIN_MS)));
  }

  /** One plugin, once for each owner, as long as it offers. @throws {ConflictError} when the hub does not grant it */
  async startTrial(plugin: string): Promise<void> {
    const held = await this.#held();
    if (!held) throw new ConflictError('network.hub-not-confirmed');
    const told = { ...(await this.#told({ nonce: newNonce(), counter: 0 })), plugins: [], trial: plugin };
    if (!(await this.#checkIn(held.credentials, told, 'trials'))) throw new ConflictError('network.no-trial');
  }

  /** The very request of the next check-in, for the page; null while there is nobody to send it to. */
  async nextSent(): Promise<Sent | null> {
    const held = await this.#held();
    if (!held) return null;
    const { db } = this.#deps;
    if ((await findAnnounced(db)) === null) await db.transaction((tx) => announce(tx, newNonce()));
    const marks = await findAnnounced(db);
    return marks && this.#sent(held.credentials, await this.#told(marks), 'check-in');
  }

  /** For a hub that cannot be reached: a text to carry there. */
  async requestFile(): Promise<string> {
    const credentials = await this.#deps.credentials();
    if (!credentials) throw new ConflictError('network.no-key');
    const { uid, key } = credentials;
    const told = await this.#told({ nonce: newNonce(), counter: 0 });
    return `${JSON.stringify({ format: 1, instance: uid, key: keyIdOf(key), ...told })}\n`;
  }

  /** What came back from there. @throws {InvalidInputError} naming what does not hold */
  async takeAnswer(text: string): Promise<EntitlementStatus> {
    const held = await this.#held();
    if (!held) throw new ConflictError('network.hub-not-confirmed');
    const problem = await this.#take(text.trim(), null);
    if (problem) throw new InvalidInputError(`network.entitlement-${problem}`);
    return this.status();
  }

  close(): void {
    this.#ending.abort();
  }

  async #told({ nonce, counter }: CheckInMarks): Promise<CheckIn> {
    const { version } = this.#deps;
    const told = { nonce, counter, latchkey: version };
    const plugins: InstalledPlugin[] = [];
    for (const { id, version: has } of await this.#installed()) {
      plugins.push({ id, version: has });
      if (JSON.stringify({ ...told, plugins }).length > MOST_TOLD)
        return { ...told, plugins: plugins.slice(0, -1) };
    }
    return { ...told, plugins };
  }

  #sent(credentials: HubCredentials, told: CheckIn, where: string): Sent {
    return {
      method: 'POST',
      url: `${credentials.hub}/api/network/v1/${where}`,
      headers: { ...headersFor(credentials, this.#deps.version), 'content-type': 'application/json' },
      body: JSON.stringify(told),
    };
  }

  async #checkIn(credentials: HubCredentials, told: CheckIn, where: string): Promise<boolean> {
    const { outbound, log } = this.#deps;
    try {
      const sent = this.#sent(credentials, told, where);
      const { status, text } = await outbound.send({ ...sent, signal: this.#ending.signal });
      const read = status === 200 ? answer.safeParse(jsonOf(text)) : null;
      if (!read?.success) return false;
      const problem = await this.#take(read.data.document, told.nonce);
      if (problem) log.warn({ problem }, 'What the hub sent as an entitlement is none');
      return problem === null;
    } catch (error) {
      log.info({ error }, 'The hub could not be asked for an entitlement');
      return false;
    }
  }

  async #take(document: string, nonce: string | null): Promise<EntitlementProblem | null> {
    const { db, clock, trust } = this.#deps;
    const held = await this.#held();
    if (!held) return 'hub';
    const { about, hub, stored } = held;
    const read = readEntitlement(document, { ...held.expected, nonce, seq: stored?.seq ?? 0 });
    if ('problem' in read) {
      await db.transaction((tx) => noteProblem(tx, about, read.problem));
      return read.problem;
    }
    const { seq, hub_time: hubTime, state } = read.entitlement;
    const now = clock.now();
    const revokedSince = state === 'revoked' ? (stored?.revokedSince ?? hubTime) : null;
    await db.transaction(async (tx) => {
      const row = { about, hub: hub.id, document, seq, storedAt: now, revokedSince, problem: null };
      await storeEntitlement(tx, row);
      // Only an answer to a question of ours is new for certain.
      if (nonce !== null) await trust.correctTime(tx, hub.id, hubTime);
    });
    return null;
  }

  async #held(): Promise<Held | null> {
    const { db, trust, credentials: credentialsOf, keys } = this.#deps;
    const credentials = await credentialsOf();
    const hub = await trust.confirmedHub();
    if (!credentials || !hub || hub.url !== credentials.hub) return null;
    const { uid, key } = credentials;
    const about = keys.mac('entitlement', [hub.id, uid, key].join('\n')).digest;
    const signers = (await trust.rules())?.entitlements ?? [];
    const expected = { signers, hub: hub.id, instance: uid, key: keyIdOf(key), nonce: null, seq: 0 };
    const stored = await findEntitlement(db, about);
    return {
      credentials,
      hub,
      about,
      expected,
      stored,
      read: stored && readEntitlement(stored.document, expected),
    };
  }
}

const newNonce = (): string => randomBytes(16).toString('base64url');

/** As the hub knows the key: by its digest. */
const keyIdOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
