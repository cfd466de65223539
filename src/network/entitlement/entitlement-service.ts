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
import {
  claimCheckIn,
  findEntitlement,
  nextCheckIn,
  noteProblem,
  storeEntitlement,
  type StoredEntitlement,
} from './entitlement-repository.ts';

/** Who we are to the hub. */
interface Credentials {
  hub: string;
  uid: string;
  key: string;
}

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
  credentials: () => Promise<Credentials | null>;
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
  credentials: Credentials;
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
    const counter = await db.transaction((tx) => claimCheckIn(tx, { now, until: now + CLAIM_MS }));
    if (counter === null) return;
    const isWell = await this.#checkIn(held.credentials, await this.#told(counter), 'check-in');
    await db.transaction((tx) => nextCheckIn(tx, clock.now() + (isWell ? EVERY_MS : AGAIN_MS)));
  }

  /** One plugin, once for each owner, as long as it offers. @throws {ConflictError} when the hub does not grant it */
  async startTrial(plugin: string): Promise<void> {
    const held = await this.#held();
    if (!held) throw new ConflictError('network.hub-not-confirmed');
    const told = { ...(await this.#told(0)), plugins: [], trial: plugin };
    if (!(await this.#checkIn(held.credentials, told, 'trials'))) throw new ConflictError('network.no-trial');
  }

  /** What the next check-in would tell, for the page. */
  told(): Promise<CheckIn> {
    return this.#told(0);
  }

  /** For a hub that cannot be reached: a text to carry there. */
  async requestFile(): Promise<string> {
    const credentials = await this.#deps.credentials();
    if (!credentials) throw new ConflictError('network.no-key');
    const { uid, key } = credentials;
    return `${JSON.stringify({ format: 1, instance: uid, key: keyIdOf(key), ...(await this.#told(0)) })}\n`;
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

  async #told(counter: number): Promise<CheckIn> {
    const { version } = this.#deps;
    const told = { nonce: randomBytes(16).toString('base64url'), counter, latchkey: version };
    const plugins: InstalledPlugin[] = [];
    for (const { id, version: has } of await this.#installed()) {
      plugins.push({ id, version: has });
      if (JSON.stringify({ ...told, plugins }).length > MOST_TOLD)
        return { ...told, plugins: plugins.slice(0, -1) };
    }
    return { ...told, plugins };
  }

  async #checkIn({ hub, uid, key }: Credentials, told: CheckIn, where: string): Promise<boolean> {
    const { outbound, log, version } = this.#deps;
    try {
      const { status, text } = await outbound.send({
        url: `${hub}/api/network/v1/${where}`,
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          'user-agent': `Latchkey/${version}`,
          'x-registration-key': key,
          'x-glpi-network-uid': uid,
        },
        body: JSON.stringify(told),
        signal: this.#ending.signal,
      });
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

/** As the hub knows the key: by its digest. */
const keyIdOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
