import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { EntitlementService, NetworkService, TrustService } from '../network/index.ts';
import {
  compareVersions,
  isInRange,
  type PluginFacts,
  type PluginHost,
  type PluginInstaller,
} from '../plugin-host/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, KnownError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { CatalogueItem, CatalogueRelease } from './catalogue-item.ts';
import type { CatalogueReader } from './catalogue-reader.ts';
import {
  findItem,
  findItems,
  findPicture,
  findReading,
  searchItems,
  type Reading,
} from './catalogue-repository.ts';
import { Extents, listTags, type Wish } from './catalogue-search-repository.ts';
import {
  mayBrowse,
  mayTry,
  refusalOf,
  securityReason,
  trialEnds,
  type Refusal,
  type Standing,
} from './gates.ts';
import { HubTrouble, type HubCatalogue } from './hub-catalogue.ts';
import { BEAT_MS, isOver, thisProcess, type Operation, type Step } from './operation.ts';
import { findOperation, insertOperation, listUnderWay, noteStep } from './operation-repository.ts';
import type { ReleaseVerifier } from './release-verifier.ts';
import { deleteSkip, listSkips, putSkip, type Skip } from './skip-repository.ts';
import { putTrial } from './stop-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  audit: Pick<AuditService, 'record'>;
  network: Pick<NetworkService, 'credentials' | 'standing'>;
  trust: Pick<TrustService, 'status'>;
  entitlements: Pick<EntitlementService, 'status' | 'startTrial'>;
  plugins: Pick<PluginHost, 'list' | 'enable' | 'latchkeyVersion'>;
  installer: Pick<PluginInstaller, 'stage' | 'use' | 'rollback'>;
  catalogue: HubCatalogue;
  reader: Pick<CatalogueReader, 'hurry'>;
  verifier: ReleaseVerifier;
  /** Told once a step is written down; nobody listens but the test. */
  reached?: (step: Step) => void;
}

/** A plugin of the catalogue as it stands to this installation. */
export interface Offered {
  item: CatalogueItem;
  /** The version that would be taken: the newest stable one that fits this Latchkey. */
  release: CatalogueRelease | undefined;
  /** Null when it may be installed now. */
  refusal: Refusal | null;
  /** It may not be had with this offer, and may be tried. */
  mayTry: boolean;
  /** How long it may be tried still, in days begun; null when it is not on trial. */
  trialDaysLeft: number | null;
  /** Why this version must not run, if so. */
  securityReason: string | null;
  local: PluginFacts | undefined;
  /** A newer version than the one that is here. */
  hasUpdate: boolean;
  /** Whoever passed over that newer version; null while it is offered. */
  skip: Skip | null;
  underWay: Operation | undefined;
}

export interface Shelf {
  standing: Standing;
  reading: Reading | null;
  mayBrowse: boolean;
}

const PER_PAGE = 12;
const BEAT_EVERY_MS = 400;
const DAY_MS = 86_400_000;

/** What the hub has, put against what is here; and brought here when somebody says so. Reads what the reader has stored, and asks nobody. */
export class MarketplaceService {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #extents = new Extents();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What is true of the whole shelf. */
  async shelf(actor: Actor): Promise<Shelf> {
    assertMay(actor);
    const { db, clock, network } = this.#deps;
    const standing = { ...(await network.standing()), ...(await this.#signed()), now: clock.now() };
    const reading = await findReading(db);
    const isOurs = reading?.hub === standing.hub.url;
    return { standing, reading: isOurs ? reading : null, mayBrowse: mayBrowse(standing) && isOurs };
  }

  async discover(
    actor: Actor,
    wish: Wish,
    page: number,
  ): Promise<{
    shelf: Shelf;
    items: Offered[];
    total: number;
    perPage: number;
    tags: { tag: string; label: string; count: number }[];
  }> {
    const shelf = await this.shelf(actor);
    const nothing = { shelf, items: [], total: 0, perPage: PER_PAGE, tags: [] };
    if (!shelf.mayBrowse) return nothing;
    const { db } = this.#deps;
    const range = { offset: (page - 1) * PER_PAGE, limit: PER_PAGE };
    const { generation = 0, triedAt = null } = shelf.reading ?? {};
    // Also a reading that broke off has changed what there is.
    const extents = this.#extents.asOf(`${String(generation)} of ${String(triedAt)}`);
    const { items, total } = await searchItems(db, wish, range, extents);
    return {
      ...nothing,
      items: await this.#offered(actor, shelf, items),
      total,
      tags: await listTags(db),
    };
  }

  async find(actor: Actor, id: string): Promise<{ shelf: Shelf; offered: Offered }> {
    const shelf = await this.shelf(actor);
    const item = shelf.mayBrowse ? await findItem(this.#deps.db, id) : null;
    const [offered] = item ? await this.#offered(actor, shelf, [item]) : [];
    if (!offered) throw new NotFoundError('marketplace.not-found', { params: { plugin: id } });
    return { shelf, offered };
  }

  /** What is here and newer there, whether or not it may be taken; without what was passed over. */
  async updates(actor: Actor): Promise<Offered[]> {
    const shelf = await this.shelf(actor);
    if (!shelf.mayBrowse) return [];
    const here = (await this.#deps.plugins.list(actor.locale)).filter(({ chosen }) => chosen !== null);
    const items = await findItems(
      this.#deps.db,
      here.map(({ id }) => id),
    );
    return (await this.#offered(actor, shelf, items)).filter(
      ({ hasUpdate, skip }) => hasUpdate && skip === null,
    );
  }

  async picture(actor: Actor, sha256: string): Promise<Buffer> {
    assertMay(actor);
    const found = await findPicture(this.#deps.db, sha256);
    if (!found) throw new NotFoundError('marketplace.no-picture');
    return found;
  }

  /** The background reads it now; nobody waits. */
  async refreshSoon(actor: Actor): Promise<void> {
    assertMay(actor);
    await this.#deps.reader.hurry();
  }

  /** Begins to bring it in and says where to watch; whatever fails leaves what runs as it is. */
  async install(
    actor: Actor,
    id: string,
    version?: string,
    { asTrial = false }: { asTrial?: boolean } = {},
  ): Promise<Operation> {
    const { shelf, offered } = await this.find(actor, id);
    const { item, local, underWay } = offered;
    if (underWay) return underWay;
    const release =
      version === undefined
        ? offered.release
        : item.releases.find((one) => one.version === version && this.#fits(one));
    if (!release && local?.isBundled !== true)
      throw new ConflictError('marketplace.V01', { params: { plugin: id } });
    const isBundled = local?.isBundled === true;
    const refusal = refusalOf(shelf.standing, item, release, { isBundled });
    const isTried = asTrial && mayTry(shelf.standing, item, refusal);
    if (refusal !== null && !isTried)
      throw new ConflictError(`marketplace.refused.${refusal}`, { params: { plugin: nameOf(item, actor) } });
    const operation = this.#operation(actor, offered, release);
    await this.#deps.db.transaction((tx) => insertOperation(tx, operation));
    this.#deps.reached?.(operation.step);
    const bringing = { release: isBundled ? undefined : release, isTried };
    const run = this.#run(actor, operation, bringing).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return operation;
  }

  /** Everything that is newer and may be taken, one after the other in the order of the list. */
  async updateAll(actor: Actor): Promise<Operation[]> {
    const begun: Operation[] = [];
    for (const { item, refusal } of await this.updates(actor))
      if (refusal === null) begun.push(await this.install(actor, item.id));
    return begun;
  }

  /** This version is not offered, told of or taken with the others any more; the next one is. */
  async skip(actor: Actor, id: string, version: string): Promise<void> {
    const { offered } = await this.find(actor, id);
    const isOffered = offered.hasUpdate && offered.skip === null && offered.release?.version === version;
    if (!isOffered) throw new ConflictError('marketplace.nothing-to-skip', { params: { plugin: id } });
    const { db, clock } = this.#deps;
    const skip = { pluginId: id, version, skippedBy: actor.name, skippedAt: clock.now() };
    await db.transaction(async (tx) => {
      await putSkip(tx, skip);
      await this.#record(tx, actor, 'version-skipped', { id, version });
    });
  }

  /** It is offered again. */
  async unskip(actor: Actor, id: string): Promise<void> {
    assertMay(actor);
    await this.#deps.db.transaction(async (tx) => {
      if (!(await deleteSkip(tx, id)))
        throw new ConflictError('marketplace.nothing-skipped', { params: { plugin: id } });
      await this.#record(tx, actor, 'version-offered', { id });
    });
  }

  async operation(actor: Actor, id: string): Promise<Operation & { isOver: boolean }> {
    assertMay(actor);
    const { db, clock } = this.#deps;
    const operation = await findOperation(db, id);
    if (!operation) throw new NotFoundError('marketplace.no-operation');
    const over = isOver(operation, clock.now());
    if (!over || operation.endedAt !== null) return { ...operation, isOver: over };
    return { ...operation, isOver: true, step: 'failed', problem: 'marketplace.interrupted' };
  }

  /** For the command line, which waits. */
  async finished(actor: Actor, id: string): Promise<Operation> {
    await Promise.all(this.#running);
    return this.operation(actor, id);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
  }

  async #run(
    actor: Actor,
    operation: Operation,
    { release, isTried }: { release: CatalogueRelease | undefined; isTried: boolean },
  ): Promise<void> {
    const beats = setInterval(() => void this.#note(operation, {}).catch(() => undefined), BEAT_MS);
    try {
      if (isTried) await this.#startTrial(operation);
      if (release) await this.#bring(actor, operation, release);
      else await this.#deps.plugins.enable(actor, operation.pluginId);
      await this.#note(operation, { step: 'done', endedAt: this.#deps.clock.now() });
    } catch (error) {
      await this.#fail(operation, error);
    } finally {
      clearInterval(beats);
    }
  }

  /** The hub signs how long; what is tried and not paid for by then stops. */
  async #startTrial({ pluginId }: Operation): Promise<void> {
    const { db, entitlements } = this.#deps;
    await entitlements.startTrial(pluginId);
    const endsAt = (await entitlements.status()).trials[pluginId];
    if (endsAt === undefined) throw new ConflictError('network.no-trial');
    await db.transaction((tx) => putTrial(tx, { pluginId, endsAt, entitledAt: null }));
  }

  /** Who signs for the hub decides what counts: its answers, or only what was signed. */
  async #signed(): Promise<Pick<Standing, 'isStranger' | 'paper' | 'rules'>> {
    const { trust, entitlements } = this.#deps;
    const { state, rules } = await trust.status();
    const paper = state === 'confirmed' ? await entitlements.status() : null;
    return { isStranger: state === 'unconfirmed', paper, rules };
  }

  async #bring(actor: Actor, operation: Operation, release: CatalogueRelease): Promise<void> {
    const { network, catalogue, verifier, installer } = this.#deps;
    const { pluginId, version } = operation;
    const { sha256, size } = release;
    const hub = await network.credentials();
    if (!hub) throw new ConflictError('marketplace.refused.no-key');
    await this.#note(operation, { step: 'download' });
    const watching = { signal: this.#ending.signal, onBytes: this.#beating(operation) };
    const coming = catalogue.package(hub, { sha256, size }, watching).then(async (packed) => {
      await this.#note(operation, { step: 'verify', got: packed.length });
      return packed;
    });
    const assertSigned = await verifier.verify({ hub: hub.hub, pluginId, version, sha256, size }, coming);
    const packed = await coming;
    await this.#note(operation, { step: 'try' });
    const plan = await installer.stage(actor, packed, { assertSigned });
    if (plan.id !== pluginId || plan.version !== version)
      throw new ConflictError('marketplace.other-package', { params: { plugin: pluginId } });
    await this.#note(operation, { step: 'use' });
    await installer.use(actor, pluginId, version);
  }

  #record(tx: Tx, actor: Actor, what: string, after: { id: string; version?: string }): Promise<void> {
    return this.#deps.audit.record(tx, actor, {
      action: `marketplace.${what}`,
      subject: { type: 'plugin', id: after.id, label: after.id },
      after,
    });
  }

  /** Writes how far the download is, but not more often than anybody looks. */
  #beating(operation: Operation): (got: number) => void {
    let at = performance.now();
    return (got) => {
      const now = performance.now();
      if (now - at < BEAT_EVERY_MS) return;
      at = now;
      void this.#note(operation, { got }).catch(() => undefined);
    };
  }

  async #fail(operation: Operation, error: unknown): Promise<void> {
    const { log, clock, network } = this.#deps;
    log.warn({ error, plugin: operation.pluginId }, 'A plugin could not be installed');
    const { problem, params } = problemOf(error, (await network.standing()).hub.url);
    const failed = { step: 'failed', problem, params, endedAt: clock.now() } as const;
    await this.#note(operation, failed).catch(() => undefined);
  }

  async #note({ id }: Operation, change: Parameters<typeof noteStep>[2]): Promise<void> {
    const { db, clock, reached } = this.#deps;
    await db.transaction((tx) => noteStep(tx, id, { ...change, beatAt: clock.now() }));
    if (change.step) reached?.(change.step);
  }

  #operation(actor: Actor, { item, local }: Offered, release: CatalogueRelease | undefined): Operation {
    const now = this.#deps.clock.now();
    return {
      id: newId(),
      pluginId: item.id,
      name: nameOf(item, actor),
      version: (local?.isBundled === true ? local.version : release?.version) ?? '',
      from: local?.chosen ?? null,
      step: 'planned',
      got: 0,
      size: local?.isBundled === true ? 0 : (release?.size ?? 0),
      problem: null,
      params: {},
      startedAt: now,
      beatAt: now,
      endedAt: null,
      startedBy: actor.name,
      holder: thisProcess(),
    };
  }

  async #offered(actor: Actor, { standing }: Shelf, items: readonly CatalogueItem[]): Promise<Offered[]> {
    const { db, clock, plugins } = this.#deps;
    const here = new Map((await plugins.list(actor.locale)).map((plugin) => [plugin.id, plugin]));
    const skips = new Map((await listSkips(db)).map((one) => [one.pluginId, one]));
    const underWay = new Map((await listUnderWay(db, clock.now())).map((one) => [one.pluginId, one]));
    return items.map((item) => {
      const local = here.get(item.id);
      const fitting = item.releases.filter((one) => one.channel === 'stable' && this.#fits(one));
      const isGood = (one: CatalogueRelease): boolean =>
        one.withdrawn === null && securityReason(standing, item, one) === null;
      const release = fitting.find(isGood) ?? fitting[0];
      const hasUpdate =
        release !== undefined &&
        (local?.chosen ?? null) !== null &&
        compareVersions(release.version, local?.chosen ?? '') > 0;
      const refusal = refusalOf(standing, item, release, { isBundled: local?.isBundled === true });
      const skip = skips.get(item.id);
      const running = item.releases.find(({ version }) => version === local?.chosen);
      // What must not run any more is not left because its successor was passed over once.
      const isSkipped =
        hasUpdate && skip?.version === release.version && securityReason(standing, item, running) === null;
      return {
        item,
        release,
        refusal,
        mayTry: mayTry(standing, item, refusal),
        trialDaysLeft: daysLeft(trialEnds(standing, item), standing.now),
        securityReason: securityReason(standing, item, release),
        local,
        hasUpdate,
        skip: isSkipped ? skip : null,
        underWay: underWay.get(item.id),
      };
    });
  }

  #fits({ latchkey }: CatalogueRelease): boolean {
    return isInRange(this.#deps.plugins.latchkeyVersion, latchkey);
  }
}

const daysLeft = (until: number | null, now: number): number | null =>
  until === null ? null : Math.max(0, Math.ceil((until - now) / DAY_MS));

export const nameOf = ({ id, words }: CatalogueItem, { locale }: Pick<Actor, 'locale'>): string =>
  (words[locale] ?? words['en'])?.name ?? id;

function problemOf(error: unknown, hub: string): { problem: string; params: Operation['params'] } {
  if (error instanceof HubTrouble)
    return { problem: `network:problem.${error.problem}`, params: { host: URL.parse(hub)?.host ?? '' } };
  if (error instanceof KnownError) return { problem: error.code, params: error.params };
  return { problem: 'marketplace.failed', params: {} };
}

function assertMay(actor: Actor): void {
  if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
}
