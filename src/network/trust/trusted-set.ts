import { createHash } from 'node:crypto';
import type { Metadata } from '@tufjs/models';
import { type Targets } from '@tufjs/models';
import { BadVersionError, EqualVersionError, ExpiredMetadataError } from 'tuf-js/dist/error.js';
import { TrustedMetadataStore } from 'tuf-js/dist/store.js';
import { HOUSE_RULES, houseRules, type HouseRules } from './house-rules.ts';

/** The signed documents that are believed, byte for byte as they came. */
export type Documents = ReadonlyMap<string, Buffer>;

/** Gives a document by the name it has at the hub, or null where there is none. It caps what it reads. */
export type Fetch = (name: string, mostBytes: number) => Promise<Buffer | null>;

export type TrustProblem =
  /** Not signed by those who may. */
  | 'S02'
  /** Signed too long ago: somebody holds back what is newer. */
  | 'S03'
  /** Older than what was seen before. */
  | 'S04'
  /** Not a document, or too much of one. */
  | 'S05'
  /** Something that must be there is not. */
  | 'S06';

/** A signed document that is not believed, and why. */
export class Distrust extends Error {
  readonly problem: TrustProblem;
  readonly role: string;

  constructor(role: string, problem: TrustProblem, cause?: unknown) {
    super(`The hub's ${role} is not to be trusted (${problem})`, { cause });
    this.name = 'Distrust';
    this.problem = problem;
    this.role = role;
  }
}

/** What the catalogue says of one package. */
export interface NamedTarget {
  path: string;
  length: number;
  sha256: string;
  custom: Readonly<Record<string, unknown>>;
}

const MOST_ROOTS = 64;
const MOST_BYTES = { root: 64_000, timestamp: 16_000, snapshot: 256_000, targets: 512_000 } as const;
/** No honest hub writes so many versions between two looks; a jump to the last number there is would freeze us for good. */
const MOST_VERSIONS_AHEAD = 10_000;
/** Parsing is quadratic in their number (ruling 41). */
const MOST_TARGETS = 256;

/** A hub is its first root, byte for byte (ruling 37). */
export const fingerprintOf = (root: Buffer): string => createHash('sha256').update(root).digest('hex');

/** Whether it is a root that its own keys have signed, and the first one. @throws {Distrust} */
export function assertFirstRoot(root: Buffer): void {
  const store = parsed('root', () => new TrustedMetadataStore(root));
  if (store.root.signed.version !== 1) throw new Distrust('root', 'S04');
}

/**
 * One walk from the root to the packages that are asked for, as the specification of TUF orders it (5.3 to 5.6). What comes out is stored
 * whole or not at all; what fails leaves the documents that were believed before in force.
 */
export class TrustedSet {
  readonly #store: TrustedMetadataStore;
  readonly #before: Documents;
  readonly #documents = new Map<string, Buffer>();
  readonly #replaced = new Set<string>();
  readonly #firstRoot: number;

  /** `before` holds at least a root; what was verified once is verified again, so that a changed row is not believed either. */
  constructor(before: Documents, now: number) {
    const root = before.get('root');
    if (!root) throw new Distrust('root', 'S06');
    this.#before = before;
    this.#store = parsed('root', () => new TrustedMetadataStore(root));
    // The verifier takes the clock of the machine; time is ours (ruling 39).
    Object.assign(this.#store, { referenceTime: new Date(now) });
    this.#documents.set('root', root);
    this.#firstRoot = this.#store.root.signed.version;
  }

  get documents(): Documents {
    return this.#documents;
  }

  /** Roles whose earlier document counts for nothing any more, since its keys were replaced: their numbers may begin again (5.3.11). */
  get replaced(): readonly string[] {
    return this.#store.root.signed.version > this.#firstRoot ? [...this.#replaced] : [];
  }

  /** A stored document that was damaged does not open the way back to older ones. @throws {Distrust} */
  assertNotBelow(highest: ReadonlyMap<string, number>): void {
    const replaced = this.replaced;
    for (const [role, version] of this.versions()) {
      const isBelow = version < (highest.get(role) ?? 0);
      if (isBelow && !replaced.includes(role)) throw new Distrust(role, 'S04');
    }
  }

  /** Newest of each role that was walked through. */
  versions(): Map<string, number> {
    const { root, timestamp, snapshot } = this.#store;
    const found = new Map([['root', root.signed.version]]);
    if (timestamp) found.set('timestamp', timestamp.signed.version);
    if (snapshot) found.set('snapshot', snapshot.signed.version);
    for (const role of this.#documents.keys()) {
      const targets = this.#store.getRole(role);
      if (targets && !found.has(role)) found.set(role, targets.signed.version);
    }
    return found;
  }

  /** From where we stand to the hub's newest state. */
  async refresh(fetch: Fetch): Promise<void> {
    await this.#newestRoot(fetch);
    await this.#newestTimestamp(fetch);
    await this.#snapshot(fetch);
    await this.#role('targets', 'root', { held: this.#before.get('targets') ?? null, fetch });
  }

  /** What was believed at the last walk, without asking anybody. Expired documents are named as such by `isStale`, and still read. */
  recall(): boolean {
    return [
      () => this.#recallTimestamp(),
      () => this.#recallSnapshot(),
      () => this.#recallRole('targets', 'root', this.#before.get('targets') ?? null),
    ].every((step) => step());
  }

  /** What the catalogue says of this package, from the one bin that could name it; null when it names none. */
  async find(
    path: string,
    { fetch, stored }: { fetch: Fetch | null; stored: (role: string) => Promise<Buffer | null> },
  ): Promise<NamedTarget | null> {
    const bin = this.#targets().signed.delegations?.succinctRoles?.getRoleForTarget(path);
    if (bin === undefined) return null;
    if (this.#store.snapshot?.signed.meta[`${bin}.json`] === undefined) return null;
    if (!this.#store.getRole(bin)) {
      const held = await stored(bin);
      if (fetch) await this.#role(bin, 'targets', { held, fetch });
      else if (!this.#recallRole(bin, 'targets', held)) return null;
    }
    const target = this.#store.getRole(bin)?.signed.targets[path];
    const sha256 = target?.hashes['sha256'];
    if (!target || sha256 === undefined) return null;
    return { path, length: target.length, sha256, custom: target.custom };
  }

  rules(): HouseRules {
    const read = houseRules.safeParse(this.#targets().signed.unrecognizedFields[HOUSE_RULES] ?? {});
    if (!read.success) throw new Distrust('targets', 'S05', read.error);
    return read.data;
  }

  #targets(): Metadata<Targets> {
    const { targets } = this.#store;
    if (!targets) throw new Distrust('targets', 'S06');
    return targets;
  }

  async #newestRoot(fetch: Fetch): Promise<void> {
    for (let step = 0; step < MOST_ROOTS; step += 1) {
      const next = this.#store.root.signed.version + 1;
      const body = await fetch(`${String(next)}.root.json`, MOST_BYTES.root);
      if (body === null) return;
      this.#believe('root', body, () => this.#store.updateRoot(body));
    }
    throw new Distrust('root', 'S05');
  }

  async #newestTimestamp(fetch: Fetch): Promise<void> {
    // Keys that were replaced since make the old one worthless: that is how one recovers from a number that was driven too far (5.3.11).
    const known = this.#recallTimestamp(true) ? this.#store.timestamp?.signed.version : undefined;
    const body = await this.#fetched('timestamp', 'timestamp.json', fetch, MOST_BYTES.timestamp);
    if (known !== undefined) assertNear('timestamp', { from: known, to: versionIn('timestamp', body) });
    try {
      this.#believe('timestamp', body, () => this.#store.updateTimestamp(body));
    } catch (error) {
      const isSame = error instanceof Distrust && error.cause instanceof EqualVersionError;
      if (!isSame) throw error;
      this.#assertFresh();
    }
  }

  /** The same number twice: what is held must still be fresh. */
  #assertFresh(): void {
    const { timestamp } = this.#store;
    const body = this.#before.get('timestamp');
    const isExpired = timestamp?.signed.isExpired(referenceTimeOf(this.#store)) ?? true;
    if (isExpired || !body) throw new Distrust('timestamp', 'S03');
    this.#documents.set('timestamp', body);
  }

  async #snapshot(fetch: Fetch): Promise<void> {
    const before = this.#before.get('snapshot');
    const wanted = this.#store.timestamp?.signed.snapshotMeta.version ?? 0;
    if (before && this.#recallSnapshot(true) && this.#store.snapshot?.signed.version === wanted) {
      this.#assertNotExpired('snapshot', this.#store.snapshot.signed);
      this.#documents.set('snapshot', before);
      return;
    }
    const known = this.#store.snapshot?.signed.version;
    if (known !== undefined) assertNear('snapshot', { from: known, to: wanted });
    const name = `${String(wanted)}.snapshot.json`;
    const body = await this.#fetched('snapshot', name, fetch, MOST_BYTES.snapshot);
    this.#believe('snapshot', body, () => this.#store.updateSnapshot(body));
  }

  async #role(
    role: string,
    by: string,
    { held, fetch }: { held: Buffer | null; fetch: Fetch },
  ): Promise<void> {
    if (this.#recallRole(role, by, held)) return;
    const meta = this.#store.snapshot?.signed.meta[`${role}.json`];
    if (!meta) throw new Distrust(role, 'S06');
    const from = held && readableVersion(role, held);
    if (from !== null) assertNear(role, { from, to: meta.version });
    const most = Math.min(meta.length ?? MOST_BYTES.targets, MOST_BYTES.targets);
    const body = await this.#fetched(role, `${String(meta.version)}.${role}.json`, fetch, most);
    this.#believe(role, body, () => {
      assertFewTargets(role, body);
      this.#store.updateDelegatedTargets(body, role, by);
    });
  }

  #recallTimestamp(evenIfExpired = false): boolean {
    const body = this.#before.get('timestamp');
    if (!body || !this.#holds('timestamp', () => this.#store.updateTimestamp(body), evenIfExpired))
      return false;
    this.#documents.set('timestamp', body);
    return true;
  }

  #recallSnapshot(evenIfSuperseded = false): boolean {
    const body = this.#before.get('snapshot');
    if (!body) return false;
    const holds = this.#holds('snapshot', () => this.#store.updateSnapshot(body, true), evenIfSuperseded);
    if (holds && !evenIfSuperseded) this.#documents.set('snapshot', body);
    return holds;
  }

  #recallRole(role: string, by: string, body: Buffer | null): boolean {
    if (!body) return false;
    const holds = this.#holds(
      role,
      () => {
        this.#store.updateDelegatedTargets(body, role, by);
      },
      false,
    );
    if (holds) this.#documents.set(role, body);
    return holds;
  }

  /** The verifier keeps an old document to compare with, and says by an error that it is not the last word. */
  #holds(role: string, step: () => unknown, evenIfOld: boolean): boolean {
    try {
      step();
      return true;
    } catch (error) {
      const isOld = error instanceof ExpiredMetadataError || error instanceof BadVersionError;
      if (!isOld) this.#replaced.add(role);
      return isOld && evenIfOld;
    }
  }

  #assertNotExpired(role: string, signed: { isExpired(at?: Date): boolean }): void {
    if (signed.isExpired(referenceTimeOf(this.#store))) throw new Distrust(role, 'S03');
  }

  async #fetched(role: string, name: string, fetch: Fetch, most: number): Promise<Buffer> {
    const body = await fetch(name, most);
    if (body === null) throw new Distrust(role, 'S06');
    return body;
  }

  #believe(role: string, body: Buffer, step: () => unknown): void {
    parsed(role, step);
    this.#documents.set(role, body);
  }
}

const referenceTimeOf = (store: object): Date =>
  'referenceTime' in store && store.referenceTime instanceof Date ? store.referenceTime : new Date();

function assertNear(role: string, { from, to }: { from: number; to: number }): void {
  if (!(to <= from + MOST_VERSIONS_AHEAD)) throw new Distrust(role, 'S04');
}

const versionIn = (role: string, body: Buffer): number =>
  parsed(role, () => Number((jsonOf(body) as { signed?: { version?: unknown } }).signed?.version));

/** A stored document that was torn says nothing, and must not keep out the one that takes its place. */
function readableVersion(role: string, body: Buffer): number | null {
  try {
    return versionIn(role, body);
  } catch {
    return null;
  }
}

function assertFewTargets(role: string, body: Buffer): void {
  const { signed } = jsonOf(body) as { signed?: { targets?: object } };
  if (Object.keys(signed?.targets ?? {}).length > MOST_TARGETS) throw new Distrust(role, 'S05');
}

function parsed<T>(role: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Distrust ? error : new Distrust(role, problemOf(error), error);
  }
}

function problemOf(error: unknown): TrustProblem {
  if (error instanceof ExpiredMetadataError) return 'S03';
  if (error instanceof BadVersionError) return 'S04';
  // A body that is no JSON, or JSON of another shape.
  if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return 'S05';
  return error instanceof Error && error.constructor.name === 'ValueError' ? 'S05' : 'S02';
}

type Json = Parameters<typeof Metadata.fromJSON>[1];
const jsonOf = (body: Buffer): Json => JSON.parse(body.toString('utf8')) as Json;
