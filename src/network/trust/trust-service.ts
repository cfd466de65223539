import type { AuditService } from '../../audit/index.ts';
import type { Database, Tx } from '../../db/database.ts';
import { pauseAfter } from '../../jobs/index.ts';
import type { Log } from '../../log.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Actor } from '../../shared/actor.ts';
import type { Clock } from '../../shared/clock.ts';
import { ConflictError, ForbiddenError } from '../../shared/errors.ts';
import { problemOfError, type HubProblem } from '../hub-problem.ts';
import type { HouseRules } from './house-rules.ts';
import { documentsOf, NoAnswerError } from './trust-client.ts';
import {
  claimHub,
  dropDocuments,
  findBody,
  findHub,
  forgetHub,
  highestVersions,
  putCandidate,
  raiseMark,
  readDocuments,
  storeDocuments,
  updateHub,
  type TrustedHub,
} from './trust-repository.ts';
import {
  assertFirstRoot,
  Distrust,
  fingerprintOf,
  TrustedSet,
  type Documents,
  type Fetch,
  type NamedTarget,
  type TrustProblem,
} from './trusted-set.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  audit: Pick<AuditService, 'record'>;
  outbound: Pick<Outbound, 'send'>;
  /** The hub of this installation; empty while there is none. */
  hub: () => Promise<string>;
}

/** What is known of who signs at the hub; none of it was asked for just now. */
export interface TrustStatus {
  state: 'none' | 'unseen' | 'unconfirmed' | 'confirmed';
  fingerprint: string | null;
  confirmedAt: number | null;
  confirmedBy: string | null;
  /** When the documents were last as new as the hub has them. */
  checkedAt: number | null;
  problem: TrustProblem | HubProblem | null;
  /** Nothing new was signed for longer than the hub had promised. */
  isStale: boolean;
  rules: HouseRules | null;
}

/** What the catalogue says of a package, and how sure that is. */
export interface Claimed {
  target: NamedTarget | null;
  rules: HouseRules;
  /** The hub was not asked, and what is known is older than it may be. */
  isStale: boolean;
}

/** What was read out of which documents, and as of when. */
interface Said {
  hub: string;
  checkedAt: number;
  documents: Documents;
  rules: HouseRules | null;
}

const HOUR_MS = 3_600_000;
const CALM_MS = 6 * HOUR_MS;
const TROUBLED = { firstMs: 60_000, longestMs: 6 * HOUR_MS };
const CLAIM_MS = 60_000;
/** Of a first root. */
const MOST_BYTES = 64_000;
const WALK_MS = 15_000;
/** A timestamp is good for a day; an hour later somebody should wonder. */
const STALE_MS = 25 * HOUR_MS;
const MUCH_MS = 24 * HOUR_MS;

/** Whom this installation believes, and what they have signed. State lies in the database, so that all nodes have one memory. */
export class TrustService {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  readonly #followers: (() => void)[] = [];
  #asking: Promise<void> = Promise.resolve();
  #said: Said | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Called when somebody has confirmed who signs: what they have signed need not wait for its turn. */
  whenConfirmed(follower: () => void): void {
    this.#followers.push(follower);
  }

  async status(): Promise<TrustStatus> {
    const { db, hub: hubOf } = this.#deps;
    const url = await hubOf();
    const hub = url === '' ? null : await findHub(db, url);
    if (!hub) return { ...nobody, state: url === '' ? 'none' : 'unseen' };
    const isConfirmed = hub.confirmedAt !== null;
    return {
      state: isConfirmed ? 'confirmed' : 'unconfirmed',
      fingerprint: hub.id,
      confirmedAt: hub.confirmedAt,
      confirmedBy: hub.confirmedBy,
      checkedAt: hub.checkedAt,
      problem: hub.problem as TrustStatus['problem'],
      isStale: isConfirmed && this.#isStale(hub),
      rules: isConfirmed ? await this.rules() : null,
    };
  }

  /** From now on what this hub's keepers have signed is believed (ruling 37). The caller has seen a recent proof of who the actor is. */
  async confirm(actor: Actor, fingerprint: string): Promise<void> {
    assertMayManage(actor);
    const { db, clock, audit, hub: hubOf } = this.#deps;
    const url = await hubOf();
    const now = clock.now();
    await db.transaction(async (tx) => {
      const hub = await findHub(tx, url);
      if (hub?.id !== fingerprint) throw new ConflictError('network.other-fingerprint');
      await updateHub(tx, hub.id, { confirmedAt: now, confirmedBy: actor.name, nextAt: now });
      await audit.record(tx, actor, {
        action: 'network.hub-confirmed',
        subject: { type: 'network', id: 'trust', label: url },
        after: { fingerprint },
      });
    });
    this.#refreshSoon();
    for (const follower of this.#followers) follower();
  }

  /** The hub is a stranger again; what is installed keeps running. */
  async forget(actor: Actor): Promise<void> {
    assertMayManage(actor);
    const { db, audit, hub: hubOf } = this.#deps;
    const url = await hubOf();
    await db.transaction(async (tx) => {
      const hub = await findHub(tx, url);
      if (!hub) throw new ConflictError('network.other-fingerprint');
      await forgetHub(tx, hub.id);
      await audit.record(tx, actor, {
        action: 'network.hub-forgotten',
        subject: { type: 'network', id: 'trust', label: url },
        before: { fingerprint: hub.id },
      });
    });
    this.#refreshSoon();
  }

  /** Asks the hub for what is new if it is time to, after whatever is being asked already. */
  refresh(): Promise<void> {
    const turn = this.#asking.then(() => this.#askIfDue());
    this.#asking = turn.catch((error: unknown) => {
      this.#deps.log.warn({ error }, 'The hub could not be asked who signs');
    });
    return turn;
  }

  /** One process of the cluster. */
  async #askIfDue(): Promise<void> {
    const { db, clock, hub: hubOf } = this.#deps;
    const url = await hubOf();
    if (url === '') return;
    const hub = await findHub(db, url);
    if (!hub?.confirmedAt) {
      await this.#meet(url, hub);
      return;
    }
    const now = clock.now();
    await db.transaction((tx) => raiseMark(tx, hub.id, this.nowOf(hub)));
    if (!(await db.transaction((tx) => claimHub(tx, hub.id, { now, until: now + CLAIM_MS })))) return;
    await this.#walk(hub, (set, fetch) => set.refresh(fetch)).catch((error: unknown) => {
      if (!(error instanceof Distrust || error instanceof NoAnswerError)) throw error;
    });
  }

  /**
   * What the keepers have said, as far as it is known here; null while nothing is. Every page of the marketplace asks: documents that are,
   * byte for byte, those that were verified last are not verified once more.
   */
  async rules(): Promise<HouseRules | null> {
    const hub = await this.#confirmed().catch(() => null);
    if (!hub || hub.checkedAt === null) return null;
    const { id, checkedAt } = hub;
    const documents = await readDocuments(this.#deps.db, id);
    const said = this.#said;
    if (said?.hub === id && said.checkedAt === checkedAt && areSame(said.documents, documents))
      return said.rules;
    const set = new TrustedSet(documents, checkedAt);
    const rules = set.recall() ? set.rules() : null;
    this.#said = { hub: id, checkedAt, documents, rules };
    return rules;
  }

  /** What the catalogue of a confirmed hub says of a package: asked now, else what was signed before. @throws {Distrust} */
  async claim(path: string): Promise<Claimed> {
    const hub = await this.#confirmed();
    const stored = (role: string): Promise<Buffer | null> => findBody(this.#deps.db, hub.id, role);
    try {
      return await this.#walk(hub, async (set, fetch) => {
        await set.refresh(fetch);
        return { target: await set.find(path, { fetch, stored }), rules: set.rules(), isStale: false };
      });
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
    }
    const set = await this.#recalled(hub);
    if (!set) throw new Distrust('timestamp', 'S06');
    return {
      target: await set.find(path, { fetch: null, stored }),
      rules: set.rules(),
      isStale: this.#isStale(hub),
    };
  }

  /**
   * The same from documents that somebody carried here. From a hub that nobody has confirmed only its first root is taken, so that its
   * fingerprint can be compared.
   *
   * @throws {ConflictError} `network.hub-not-confirmed`
   * @throws {Distrust}
   */
  async claimFrom(fetch: Fetch, paths: readonly string[]): Promise<ReadonlyMap<string, Claimed>> {
    const { db, hub: hubOf } = this.#deps;
    const url = await hubOf();
    const known = url === '' ? null : await findHub(db, url);
    if (!known?.confirmedAt) {
      if (url !== '') await this.#meet(url, known, fetch);
      throw new ConflictError('network.hub-not-confirmed');
    }
    const stored = (role: string): Promise<Buffer | null> => findBody(db, known.id, role);
    const steps = async (set: TrustedSet): Promise<Map<string, Claimed>> => {
      await set.refresh(fetch);
      const rules = set.rules();
      const claims = new Map<string, Claimed>();
      for (const path of paths)
        claims.set(path, { target: await set.find(path, { fetch, stored }), rules, isStale: false });
      return claims;
    };
    return this.#walk(known, steps, fetch);
  }

  /** Breaks off what waits for the hub, so that the database may go. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#asking;
  }

  /** Time as ruling 39 has it: it does not go back, and a clock that the hub has corrected counts corrected. */
  nowOf({ mark, correction }: TrustedHub): number {
    return Math.max(this.#deps.clock.now() + correction, mark);
  }

  /**
   * What a hub said in answer to a question just asked: the mark follows it, down as well as up. A clock more than a day ahead counts
   * corrected until it is asked again; one that is behind is what the mark is for.
   */
  async correctTime(tx: Tx, id: string, hubTime: number): Promise<void> {
    const ahead = this.#deps.clock.now() - hubTime;
    await updateHub(tx, id, { mark: hubTime, correction: ahead > MUCH_MS ? -ahead : 0 });
  }

  /** The same for whoever asks; where nobody signs the clock is all there is. */
  async now(): Promise<number> {
    const hub = await this.confirmedHub();
    return hub ? this.nowOf(hub) : this.#deps.clock.now();
  }

  async confirmedHub(): Promise<TrustedHub | null> {
    return this.#confirmed().catch(() => null);
  }

  #isStale(hub: TrustedHub): boolean {
    return hub.checkedAt === null || this.nowOf(hub) - hub.checkedAt > STALE_MS;
  }

  async #confirmed(): Promise<TrustedHub> {
    const url = await this.#deps.hub();
    const hub = url === '' ? null : await findHub(this.#deps.db, url);
    if (!hub?.confirmedAt) throw new ConflictError('network.hub-not-confirmed');
    return hub;
  }

  /** A hub that nobody has confirmed shows its first root; that is all that is taken from it. */
  async #meet(url: string, known: TrustedHub | null, fetch = this.#fetchFrom(url)): Promise<void> {
    const { db, clock } = this.#deps;
    const now = clock.now();
    if (known && known.nextAt > now) return;
    const nextAt = now + TROUBLED.firstMs;
    try {
      const root = await fetch('1.root.json', MOST_BYTES);
      if (root === null) return;
      assertFirstRoot(root);
      const id = fingerprintOf(root);
      await db.transaction(async (tx) => {
        await putCandidate(tx, { ...stranger, id, url, seenAt: now, nextAt, mark: now });
        await storeDocuments(tx, id, {
          found: new Map([['root', root]]),
          versions: new Map([['root', 1]]),
          now,
        });
      });
    } catch (error) {
      this.#deps.log.info({ problem: problemOfWalk(error) }, 'The hub did not show who signs for it');
    }
  }

  async #walk<T>(
    hub: TrustedHub,
    steps: (set: TrustedSet, fetch: Fetch) => Promise<T>,
    fetch = this.#fetchFrom(hub.url),
  ): Promise<T> {
    const { db, clock } = this.#deps;
    try {
      const set = await this.#begin(hub, fetch);
      const found = await steps(set, fetch);
      set.assertNotBelow(await highestVersions(db, hub.id));
      const now = clock.now();
      const seen = { checkedAt: this.nowOf(hub), nextAt: now + CALM_MS, failures: 0, problem: null };
      await db.transaction(async (tx) => {
        await dropDocuments(tx, hub.id, set.replaced);
        await storeDocuments(tx, hub.id, { found: set.documents, versions: set.versions(), now });
        await updateHub(tx, hub.id, seen);
      });
      return found;
    } catch (error) {
      await this.#noteFailure(hub, error);
      throw error instanceof Distrust ? error : new NoAnswerError(problemOfError(error));
    }
  }

  /** From the stored root; should that be damaged, from the first one again, which the hub's own id proves. */
  async #begin(hub: TrustedHub, fetch: Fetch): Promise<TrustedSet> {
    const before = await readDocuments(this.#deps.db, hub.id);
    const now = this.nowOf(hub);
    try {
      return new TrustedSet(before, now);
    } catch (error) {
      const first = await fetch('1.root.json', MOST_BYTES);
      if (first === null || fingerprintOf(first) !== hub.id) throw error;
      return new TrustedSet(new Map([...before, ['root', first]]), now);
    }
  }

  async #noteFailure(hub: TrustedHub, error: unknown): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const { db, clock, log } = this.#deps;
    const failures = hub.failures + 1;
    const problem = problemOfWalk(error);
    log.warn({ problem, error }, 'What the hub signs could not be brought up to date');
    const nextAt = clock.now() + pauseAfter(failures, TROUBLED);
    await db.transaction((tx) => updateHub(tx, hub.id, { failures, problem, nextAt }));
  }

  /** As things stood when they were last as new as could be; whether that is too long ago is for the caller to weigh. */
  async #recalled(hub: TrustedHub): Promise<TrustedSet | null> {
    if (hub.checkedAt === null) return null;
    const set = new TrustedSet(await readDocuments(this.#deps.db, hub.id), hub.checkedAt);
    return set.recall() ? set : null;
  }

  #fetchFrom(hub: string): Fetch {
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(WALK_MS)]);
    return documentsOf({ outbound: this.#deps.outbound, hub, signal });
  }

  #refreshSoon(): void {
    // Failures are logged by then; nobody waits.
    this.refresh().catch(() => undefined);
  }
}

const areSame = (one: Documents, other: Documents): boolean =>
  one.size === other.size && [...one].every(([role, body]) => other.get(role)?.equals(body) === true);

const nobody: TrustStatus = {
  state: 'none',
  fingerprint: null,
  confirmedAt: null,
  confirmedBy: null,
  checkedAt: null,
  problem: null,
  isStale: false,
  rules: null,
};
const stranger = {
  confirmedAt: null,
  confirmedBy: null,
  checkedAt: null,
  failures: 0,
  problem: null,
  correction: 0,
};

function problemOfWalk(error: unknown): string {
  if (error instanceof Distrust || error instanceof NoAnswerError) return error.problem;
  return problemOfError(error);
}

function assertMayManage(actor: Actor): void {
  if (!actor.can('network.manage')) throw new ForbiddenError('forbidden');
}
