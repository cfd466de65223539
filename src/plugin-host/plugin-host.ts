import { setTimeout as sleep } from 'node:timers/promises';
import { migrate, migrateDown } from '../db/migrations.ts';
import { isPassingTrouble } from '../db/passing-trouble.ts';
import { bumpVersion, type Versions } from '../db/versions.ts';
import { skipDeliveries } from '../jobs/index.ts';
import { TemplateError } from '../views/index.ts';
import { redact } from '../crypto/tokens.ts';
import { system, type Actor } from '../shared/actor.ts';
import { ConflictError, ForbiddenError, KnownError, NotFoundError } from '../shared/errors.ts';
import {
  activate,
  ActivationError,
  culpritOf,
  ownMigrations,
  placeIn,
  takePlace,
  type Activation,
} from './activation.ts';
import { makeArchivedTables, type ArchivedRows } from './archived-plugins.ts';
import type { BootMarkers } from './boot-markers.ts';
import { Canary } from './canary.ts';
import type { Reached } from './crash-points.ts';
import { findAt, findPlugins, textOf, type FoundPlugin, type Places } from './discovery.ts';
import { FaultLadder } from './fault-ladder.ts';
import { dependentsOf, planOrder, requirementsOf, type OrderProblem, type Plan } from './load-order.ts';
import type { Manifest } from './manifest.ts';
import { nobodyObjects, type Objecting, type Objection } from './objection.ts';
import { prefixOf } from './own-tables.ts';
import { resolvePluginApi } from './plugin-loader.ts';
import type { PluginNews, Trouble } from './plugin-news.ts';
import {
  insertState,
  listNodes,
  listStates,
  newcomer,
  replaceNode,
  setChosen,
  setDesired,
  setDisabledWith,
  setRunning,
  touchNode,
  type ActualState,
  type PluginNode,
  type PluginState,
  type Step,
} from './plugin-repository.ts';
import type { Ground, Registries, Services } from './registries.ts';
import { clearStaging, folderOf, placeRelease } from './release-folders.ts';
import { listReleases, type Release } from './release-repository.ts';
import { paceSince, type Doing, type Pace } from './trial.ts';
import type { Watchdog } from './watchdog.ts';

/** The version row that moves when something else is wanted of a plugin. */
export const PLUGINS_VERSION = 'plugins';

const SETUP_MS = 10_000;
const DRAIN_MS = 5_000;
const SETTLE_MS = 2_000;
const SERVERS_FOLLOW_MS = 4_000;
const LOOK_AGAIN_MS = 100;
const TRY_AGAIN_MS = 2_000;
const HEARTBEAT_MS = 60_000;
const NODE_GONE_MS = 3 * HEARTBEAT_MS;
const UNCAUGHT_MS = 10 * 60_000;
const UNCAUGHT_TO_END = 3;
const LATE_MS = 60_000;

export interface PluginHostDeps {
  ground: Ground;
  registries: Registries;
  services: Services;
  /** For what people must hear of. */
  news: Pick<PluginNews, 'tell' | 'tellIn'>;
  versions: Versions;
  places: Places;
  latchkeyVersion: string;
  /** What this process is called in the list of nodes. */
  node: string;
  isSafeMode: boolean;
  /** Null for a passer-by such as the command line: it leaves no trace in the list of nodes and counts no crashes. */
  markers: BootMarkers | null;
  /** Runs no plugin code and tells what the servers made of each: so that a plugin that ends processes can be disabled from one. */
  isOnlooker?: boolean;
  /** Ends the process when a plugin makes it stand still; for a server that somebody starts again. */
  watchdog?: Watchdog | null;
  setupMs?: number;
  drainMs?: number;
  /** Told at each step of an installation. */
  reached?: Reached;
}

/** What became of a plugin in this process. */
interface Outcome {
  state: ActualState;
  step: Step | null;
  error: string | null;
}

/** How a plugin has done at one hook. */
export interface Listening {
  hook: string;
  calls: number;
  faults: number;
  averageMs: number | null;
  isResting: boolean;
}

/** A page, a place or a job of a plugin that went wrong. */
interface Failing {
  name: string;
  calls: number;
  faults: number;
}

const OWN_WORK: ReadonlySet<string> = new Set(['route', 'slot', 'job']);

/** A plugin as the administrator sees it. */
export interface PluginFacts extends Outcome {
  id: string;
  name: string;
  description: string;
  version: string;
  isBundled: boolean;
  desired: PluginState['desired'];
  changedAt: number;
  changedBy: string;
  manifest: Manifest | null;
  nodes: PluginNode[];
  /** What lies on disk and is loaded at the next start. */
  waitingVersion: string | null;
  /** Templates of ours that it would draw, had ours not changed since it was made. */
  drifted: readonly string[];
  /** What it costs, hook by hook, since this process started. */
  listens: Listening[];
  failing: Failing[];
  /** Titles of the rights it adds, also while it does not run. */
  rightTitles: string[];
  /** Plugins that would be disabled with it. */
  dependents: string[];
  /** Plugins that would be enabled with it. */
  requirements: string[];
  /** Its packages, oldest first, where it was installed from one. */
  releases: (Pick<
    Release,
    'version' | 'size' | 'addedAt' | 'addedBy' | 'trust' | 'signedBy' | 'wentWrong'
  > & { madeFor: string })[];
  /** Until when its newest version is watched, on which node, and how many have it for good already. */
  watched: { on: string; until: number; done: number } | null;
  /** The plugin it was disabled with, and comes back with. */
  disabledWith: string | null;
  /** Plugins that come back with it. */
  returning: string[];
  /** The package in use everywhere, and the one that was before it. */
  chosen: string | null;
  previous: string | null;
}

const RUNNING: Outcome = { state: 'enabled', step: null, error: null };
const OFF: Outcome = { state: 'disabled', step: null, error: null };
const SAFE: Outcome = { state: 'safe-mode', step: null, error: null };
const MISSING = 'Its folder is gone';
const QUARANTINED: Outcome = { state: 'quarantined', step: null, error: null };

const isPassing = (error: unknown): boolean => {
  const cause = error instanceof ActivationError ? error.cause : error;
  return isPassingTrouble(cause) || (cause instanceof KnownError && cause.code === 'database.busy');
};

const outcomeOf = ({ state, step, error }: Outcome): Outcome => ({ state, step, error });

const failed = (step: Step, error: string): Outcome => ({ state: 'failed', step, error: redact(error) });
const stays = (step: Step, error: string): Outcome => ({ ...failed(step, error), state: 'enabled' });

/**
 * Brings what runs here to what is wanted everywhere. The wish stands in the database and is the same for all nodes;
 * what each made of it stands beside it. One plugin that cannot run stops nobody else.
 */
export class PluginHost {
  readonly #deps: PluginHostDeps;
  readonly #running = new Map<string, Activation>();
  /** By where it lies. What one that was ended has left behind may still throw. */
  readonly #everRan = new Map<string, Pick<Activation, 'found' | 'manifest'>>();
  readonly #lateFrom = new Map<string, number>();
  readonly #outcomes = new Map<string, Outcome>();
  /** What failed is not tried again until somebody asks for it: the time of the wish it failed for. */
  readonly #failedFor = new Map<string, number>();
  /** What failed because the database was away is no fault of theirs and tried again. */
  readonly #inPassing = new Set<string>();
  readonly #expected = new Map<string, () => void>();
  readonly #uncaught = new Map<string, number[]>();
  #objecting: Objecting = nobodyObjects;
  #found: FoundPlugin[] = [];
  /** What is wanted of them cannot be had here, and why: where a version of theirs runs, it goes on. */
  readonly #staying = new Map<string, Outcome>();
  #states: ReadonlyMap<string, PluginState> = new Map();
  #turn: Promise<void> = Promise.resolve();
  #stopWatching: (() => void) | undefined;
  #timers: NodeJS.Timeout[] = [];

  readonly #canary: Canary;
  readonly #ladder: FaultLadder;
  #unhear: (() => void) | undefined;

  constructor(deps: PluginHostDeps) {
    this.#deps = deps;
    const { ground, news, node } = deps;
    this.#ladder = new FaultLadder(() => ground.clock.now());
    this.#canary = new Canary({
      ground,
      news,
      node,
      versionRow: PLUGINS_VERSION,
      doing: (id) => this.#doing(id),
      liveNodes: () => this.#liveNodes(),
      converge: () => this.converge(),
    });
  }

  get isSafeMode(): boolean {
    return this.#deps.isSafeMode || (this.#deps.markers?.wantsSafeMode ?? false);
  }

  /** Starts what is enabled, and follows what is changed elsewhere. Never fails for a plugin's sake. */
  async start(): Promise<void> {
    const { versions, markers } = this.#deps;
    resolvePluginApi();
    const before = markers?.starting(this.#deps.node) ?? null;
    // What crashed here does not run any more, and nobody else could know.
    if (before !== null) await this.#takeOverFrom(before);
    this.#sayWhoCrashed();
    this.#unhear = this.#deps.registries.hooks.whenRested(({ owner, hook }) => {
      this.#rested(owner, hook);
    });
    this.#stopWatching = versions.watch(PLUGINS_VERSION, () => this.converge());
    await this.converge();
    if (!markers) return;
    await clearStaging(this.#deps.places.added, { now: Date.now() });
    this.#later(
      setTimeout(() => {
        markers.settled();
      }, SETTLE_MS),
    );
    this.#later(setInterval(() => void this.#heartbeat(), HEARTBEAT_MS));
  }

  async #takeOverFrom(before: string): Promise<void> {
    const { ground, markers } = this.#deps;
    await ground.db.transaction((tx) => replaceNode(tx, before, []));
    const crash = markers?.lastCrash ?? null;
    await this.#canary.resume(await listStates(ground.db), { before, crash });
  }

  #sayWhoCrashed(): void {
    const { markers, ground } = this.#deps;
    if (!markers?.lastCrash) return;
    ground.log.error(markers.lastCrash, 'The server was ended for the sake of a plugin');
  }

  /** Ends every plugin in order, those that lean on others first. */
  async stop(): Promise<void> {
    this.#stopWatching?.();
    this.#canary.stop();
    this.#unhear?.();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#turn;
    for (const id of [...this.#running.keys()].reverse()) await this.#deactivate(id);
    for (const forget of this.#expected.values()) forget();
    this.#expected.clear();
    if (!this.#deps.markers) return;
    this.#deps.markers.settled();
    await this.#deps.ground.db.transaction((tx) => replaceNode(tx, this.#deps.node, []));
  }

  /** Makes it so. Calls wait for each other: plugins are started and ended one at a time. */
  converge(): Promise<void> {
    const turn = this.#turn.then(() => this.#converge());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Those on disk, and those that are enabled although their folder is gone: somebody must be able to disable them. */
  async list(locale: string): Promise<PluginFacts[]> {
    const present = new Set(this.#found.map(({ id }) => id));
    return (await this.#all(locale)).filter(({ id, desired }) => desired === 'enabled' || present.has(id));
  }

  async find(id: string, locale: string): Promise<PluginFacts> {
    const plugin = (await this.#all(locale)).find((one) => one.id === id);
    if (!plugin) throw new NotFoundError('plugin.not-found', { params: { plugin: id } });
    return plugin;
  }

  /** Enables it, what it requires and what had to go with it, everywhere, and says what became of it here. Asking again tries again. */
  async enable(actor: Actor, id: string): Promise<PluginFacts> {
    await this.#assertMayManage(actor, id);
    const returning = await this.#disabledWith(id);
    const ids = [id, ...returning].flatMap((one) => [one, ...requirementsOf(one, this.#manifests())]);
    for (const one of new Set(ids)) await this.assertNothingAgainst(one);
    for (const asked of ids) this.#failedFor.delete(asked);
    await this.#want(actor, [...new Set(ids)], 'enabled');
    return this.find(id, actor.locale);
  }

  /** Disables it and what leans on it. Whatever it registered is gone when this returns; its data stays. */
  async disable(actor: Actor, id: string): Promise<PluginFacts> {
    await this.#assertMayManage(actor, id);
    const states = await listStates(this.#deps.ground.db);
    const isEnabled = (one: string): boolean =>
      states.find((state) => state.id === one)?.desired === 'enabled';
    const dependents = dependentsOf(id, this.#manifests()).filter(isEnabled);
    await this.#want(actor, [id, ...dependents], 'disabled', { dependents });
    return this.find(id, actor.locale);
  }

  /** From now on this is asked before a plugin is put to use. */
  heed(objecting: Objecting): void {
    this.#objecting = objecting;
  }

  /** What there is against a version of it, the one in use unless said. */
  async objectionTo(id: string, version?: string): Promise<Objection | null> {
    const chosen = (await listStates(this.#deps.ground.db)).find((state) => state.id === id)?.chosen;
    return this.#objecting(id, version ?? chosen ?? this.manifestOf(id)?.version ?? '');
  }

  /** @throws {ConflictError} with the reason, when it may not run */
  async assertNothingAgainst(id: string, version?: string): Promise<void> {
    const objection = await this.objectionTo(id, version);
    if (objection?.isStopping === true) throw new ConflictError(objection.code, { params: objection.params });
  }

  /** Where a new version shows first how it does: here, or from the command line on one of the servers. Null where none runs. */
  async nodeToTry(): Promise<string | null> {
    const { markers, node } = this.#deps;
    if (markers) return node;
    return (await this.#liveNodes())[0]?.node ?? null;
  }

  /** After a change of what is wanted that was written elsewhere: makes it so here, and waits for the servers where none is here. */
  async follow(ids: readonly string[], { at }: { at: number }): Promise<void> {
    for (const id of ids) this.#failedFor.delete(id);
    if (this.#deps.isOnlooker === true) await this.#waitForServers(at);
    await this.converge();
  }

  /** What is known of it from its manifest, and from those of all others. */
  manifestOf(id: string): Manifest | null {
    return this.#found.find((plugin) => plugin.id === id)?.manifest ?? null;
  }

  /** Tables of plugins from which nothing is ever taken, not even when a backup is put back. */
  appendOnlyTables(): string[] {
    return this.#manifests().flatMap((manifest) =>
      manifest.appendOnly.filter((table) => table.startsWith(prefixOf(manifest))),
    );
  }

  /** Before a backup is put back: the tables of plugins that it brings along. Whose those are that could not be made. */
  makeArchivedTables(tables: readonly string[], rowsOf: ArchivedRows): Promise<Map<string, string>> {
    const { ground, places } = this.#deps;
    return makeArchivedTables(tables, rowsOf, { db: ground.db, found: this.#found, added: places.added });
  }

  /** Those that have lately been heard of. */
  async servers(): Promise<string[]> {
    return [...new Set((await this.#liveNodes()).map(({ node }) => node))];
  }

  get latchkeyVersion(): string {
    return this.#deps.latchkeyVersion;
  }

  /**
   * An error that nobody caught: whether a plugin's code is in its trace. If so it is charged to that plugin and the process may go on;
   * at the third within ten minutes the plugin is ended on this node. Where the process must end all the same, the next one reads why.
   */
  takeBlame(error: unknown, { endsProcess = false } = {}): boolean {
    const culprit = culpritOf(error, [...this.#running.values(), ...this.#everRan.values()]);
    if (!culprit) return false;
    const { id } = culprit.manifest;
    if (this.#running.has(id) || endsProcess || this.#isHeardAgain(id)) this.#blame(id, 'uncaught', error);
    if (endsProcess) this.#deps.markers?.accuse(nameOf(culprit.manifest), placeIn(error, culprit.found.home));
    else if (this.#running.has(id) && this.#isOneTooMany(id)) {
      this.#turn = this.#turn.then(() => this.#giveUp(id, error)).catch(() => undefined);
    }
    return true;
  }

  /** A page could not be drawn: charged to the plugin whose template it was. */
  takeDrawingBlame(error: unknown): void {
    if (!(error instanceof TemplateError) || !this.#running.has(error.owner)) return;
    const { hooks } = this.#deps.registries;
    hooks.charge({ owner: error.owner, kind: 'route', name: 'templates', isFault: true, tookMs: 0 });
    this.#blame(error.owner, 'view', error);
  }

  /** Its listener failed so often that it is not asked for a while. */
  #rested(id: string, hook: string): void {
    const { manifest } = this.#running.get(id) ?? {};
    if (!manifest) return;
    const rung = this.#ladder.rested(id);
    const words = `It keeps failing at ${hook}`;
    if (rung === 'resting') return;
    this.#blame(id, hook, new Error(words));
    this.#outcomes.set(id, stays('running', words));
    const then =
      rung === 'ended'
        ? () => this.#giveUp(id, new Error(words))
        : () => this.#report().then(() => this.#tell('troubled', id, words));
    this.#turn = this.#turn.then(then).catch(() => undefined);
  }

  /** What one that was ended has left behind is heard of once a minute. */
  #isHeardAgain(id: string): boolean {
    const now = this.#deps.ground.clock.now();
    if ((this.#lateFrom.get(id) ?? -Infinity) > now - LATE_MS) return false;
    this.#lateFrom.set(id, now);
    return true;
  }

  #isOneTooMany(id: string): boolean {
    const now = this.#deps.ground.clock.now();
    const recent = [...(this.#uncaught.get(id) ?? []).filter((at) => at > now - UNCAUGHT_MS), now];
    this.#uncaught.set(id, recent);
    return recent.length === UNCAUGHT_TO_END;
  }

  async #giveUp(id: string, error: unknown): Promise<void> {
    const states = await listStates(this.#deps.ground.db);
    await this.#deactivate(id);
    this.#uncaught.delete(id);
    this.#failedFor.set(id, states.find((state) => state.id === id)?.changedAt ?? 0);
    const problem = error instanceof Error ? error.message : String(error);
    this.#outcomes.set(id, failed('running', problem));
    await this.#report();
    await this.#tell('ended', id, problem);
  }

  /** What nobody asked for, somebody must hear of. That it could not be told changes nothing of what was done. */
  async #tell(what: Trouble['what'], id: string, problem: string, ofVersion?: string): Promise<void> {
    const { news, node, ground, markers } = this.#deps;
    if (!markers) return;
    const version = ofVersion ?? this.manifestOf(id)?.version ?? '';
    const previous = this.#states.get(id)?.previous ?? null;
    await news
      .tell({ what, id, version, problem: redact(problem), node, previous })
      .catch((error: unknown) => {
        ground.log.warn({ plugin: id, err: error }, 'Nobody could be told of a trouble with a plugin');
      });
  }

  /** What was set aside here for its crashes, also where the version before stands in for it. */
  async #tellOfCrashes(states: Iterable<PluginState>): Promise<void> {
    const { markers } = this.#deps;
    for (const { id, desired, chosen, changedAt } of states) {
      const version = chosen ?? this.manifestOf(id)?.version ?? '';
      const asked = { askedForAt: changedAt };
      if (desired !== 'enabled' || markers?.isQuarantined(`${id}@${version}`, asked) !== true) continue;
      await this.#tell('quarantined', id, markers.crashOf(`${id}@${version}`, asked)?.why ?? '', version);
    }
  }

  /**
   * Takes back a disabled plugin's schema, and all that is in it. There is no way back but a backup.
   * @throws {ConflictError} `plugin.still-enabled`
   */
  async purge(actor: Actor, id: string): Promise<void> {
    await this.#assertMayManage(actor, id);
    const found = this.#found.find((plugin) => plugin.id === id);
    const state = (await listStates(this.#deps.ground.db)).find((one) => one.id === id);
    if (state?.desired !== 'disabled' || this.#running.has(id)) {
      throw new ConflictError('plugin.still-enabled', { params: { plugin: id } });
    }
    if (!found?.manifest) throw new NotFoundError('plugin.not-found', { params: { plugin: id } });
    const { db, audit } = this.#deps.ground;
    await migrateDown(db, id, await ownMigrations(found, found.manifest));
    await db.transaction((tx) =>
      audit.record(tx, actor, { action: 'plugin.purged', subject: { type: 'plugin', id, label: id } }),
    );
  }

  async #assertMayManage(actor: Actor, id: string): Promise<void> {
    if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
    await this.find(id, actor.locale);
  }

  async #disabledWith(provider: string): Promise<string[]> {
    const states = await listStates(this.#deps.ground.db);
    return states.filter(({ disabledWith }) => disabledWith === provider).map(({ id }) => id);
  }

  /** The first of `ids` is the one that was asked for. */
  async #want(
    actor: Actor,
    ids: readonly string[],
    desired: PluginState['desired'],
    { dependents = [] }: { dependents?: readonly string[] } = {},
  ): Promise<void> {
    const { db, clock, audit } = this.#deps.ground;
    const at = clock.now();
    await db.transaction(async (tx) => {
      await setDesired(tx, ids, { desired, at, by: actor.name });
      await setDisabledWith(tx, ids, null);
      await setDisabledWith(tx, dependents, ids[0] ?? null);
      for (const id of ids) {
        // What it has not heard yet it would hear out of season, should it ever come back.
        if (desired === 'disabled') await skipDeliveries(tx, id);
        await audit.record(tx, actor, {
          action: `plugin.${desired}`,
          subject: { type: 'plugin', id, label: id },
        });
      }
      await bumpVersion(tx, PLUGINS_VERSION);
    });
    if (this.#deps.isOnlooker === true) await this.#waitForServers(at);
    await this.converge();
  }

  async #waitForServers(since: number): Promise<void> {
    const deadline = Date.now() + SERVERS_FOLLOW_MS;
    while (Date.now() < deadline) {
      if ((await this.#liveNodes()).every(({ changedAt }) => changedAt >= since)) return;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  #liveNodes(): Promise<PluginNode[]> {
    const { db, clock } = this.#deps.ground;
    return listNodes(db, { seenAfter: clock.now() - NODE_GONE_MS });
  }

  async #converge(): Promise<void> {
    const { ground, latchkeyVersion } = this.#deps;
    await this.#look();
    await this.#introduce(await listStates(ground.db));
    const states = new Map((await listStates(ground.db)).map((state) => [state.id, state]));
    this.#expectListeners(states);
    if (this.#deps.isOnlooker === true) {
      this.#takeOver(await this.#liveNodes(), states);
      return;
    }

    this.#states = states;
    const { order, problems } = this.#plan(latchkeyVersion);
    for (const [id, problem] of problems) this.#outcomes.set(id, failed('order', wordsOf(problem)));

    await this.#endAllBut(order);
    const isNew = order.some(({ id }) => !this.#isRunningAsFound(id));
    await this.#watched(isNew, async () => {
      for (const manifest of order) await this.#begin(manifest);
    });
    await this.#report();
    if (this.#deps.markers) this.#canary.follow(states.values());
    await this.#tellOfCrashes(states.values());
    this.#reached('reported');
  }

  /** Who starts after whom. A version that cannot run beside the others leaves its place to the one that does. */
  #plan(latchkeyVersion: string): Plan {
    const manifestsOf = (): Manifest[] =>
      this.#found.filter((found) => this.#isWanted(found)).flatMap(({ manifest }) => manifest ?? []);
    const first = planOrder(manifestsOf(), latchkeyVersion);
    for (const [id, problem] of first.problems) {
      if (this.#running.has(id) && !this.#isRunningAsFound(id))
        this.#staying.set(id, stays('order', wordsOf(problem)));
    }
    this.#found = this.#found.map((found) =>
      this.#staying.has(found.id) ? (this.#running.get(found.id)?.found ?? found) : found,
    );
    return planOrder(manifestsOf(), latchkeyVersion);
  }

  /** What lies on disk, with the files of every release that is wanted; a version that keeps crashing gives way to the one before. */
  async #look(): Promise<void> {
    const { ground, places } = this.#deps;
    const releases = new Map(
      (await listReleases(ground.db)).map((release) => [`${release.pluginId}@${release.version}`, release]),
    );
    const folders = new Map<string, string>();
    this.#staying.clear();
    for (const state of await listStates(ground.db)) {
      const release = releases.get(`${state.id}@${this.#versionFor(state)}`);
      const before = releases.get(`${state.id}@${state.previous ?? ''}`);
      if (release) folders.set(state.id, await this.#placeOrStay(release, before));
    }
    this.#found = await findPlugins(places, folders);
  }

  #versionFor({ id, chosen, previous, changedAt, watchedOn, rolledTo }: PluginState): string {
    const { node } = this.#deps;
    const isMyTurn = watchedOn === null || watchedOn === node || rolledTo?.includes(node) === true;
    if (!isMyTurn && previous !== null) return previous;
    const isSetAside =
      this.#deps.markers?.isQuarantined(`${id}@${chosen ?? ''}`, { askedForAt: changedAt }) ?? false;
    return (isSetAside ? previous : null) ?? chosen ?? '';
  }

  /** The folder of a release; of what runs or ran before it, where its files cannot be had. */
  async #placeOrStay(release: Release, before: Release | undefined): Promise<string> {
    const { pluginId } = release;
    try {
      return await this.#place(release);
    } catch (error) {
      this.#blame(pluginId, 'fetch', error);
      this.#staying.set(pluginId, stays('fetch', error instanceof Error ? error.message : String(error)));
      const running = this.#running.get(pluginId)?.found.folder;
      const standIn = running ?? (before && (await this.#place(before).catch(() => undefined)));
      return standIn ?? folderOf(this.#deps.places.added, release);
    }
  }

  #place(release: Release): Promise<string> {
    const { ground, places } = this.#deps;
    return placeRelease(ground.db, release, { added: places.added, reached: this.#reached });
  }

  /** What the servers say; where they differ, whoever has trouble is heard. */
  #takeOver(nodes: readonly PluginNode[], states: ReadonlyMap<string, PluginState>): void {
    for (const { id, desired } of states.values()) {
      const ofPlugin = nodes
        .filter(({ pluginId }) => pluginId === id)
        .sort((one, other) => other.changedAt - one.changedAt);
      const telling =
        ofPlugin.find(({ state }) => state !== desired) ??
        ofPlugin.find(({ error }) => error !== null) ??
        ofPlugin[0];
      this.#outcomes.set(id, telling ?? (desired === 'enabled' ? RUNNING : OFF));
    }
  }

  /** A row for each plugin that nobody has seen before. */
  async #introduce(states: readonly PluginState[]): Promise<void> {
    const { db, clock } = this.#deps.ground;
    const known = new Set(states.map(({ id }) => id));
    const newcomers = this.#found.filter(({ id }) => !known.has(id));
    if (newcomers.length === 0) return;
    const now = clock.now();
    await db.transaction(async (tx) => {
      for (const { id, manifest, isBundled } of newcomers) {
        const desired = isBundled && manifest?.default === 'enabled' ? 'enabled' : 'disabled';
        const version = manifest?.version ?? '';
        await insertState(tx, newcomer(id, { at: now, by: 'system', desired, version }));
      }
    });
  }

  /** A plugin that is enabled and does not run must not mean that what it guards stands open (ruling 13). */
  #expectListeners(states: ReadonlyMap<string, PluginState>): void {
    for (const forget of this.#expected.values()) forget();
    this.#expected.clear();
    for (const { id, desired, guards } of states.values()) {
      if (desired === 'enabled') this.#expect(id, guards);
    }
  }

  #expect(id: string, hooks: readonly string[]): void {
    this.#expected.get(id)?.();
    const undo = hooks.map((hook) => this.#deps.registries.hooks.expectListener(id, hook));
    this.#expected.set(id, () => {
      for (const forget of undo) forget();
    });
  }

  /** Says at once what becomes of those that are not to run here. */
  #isWanted({ id, manifest, problem }: FoundPlugin): boolean {
    const outcome = this.#outcomeWithoutStarting({ id, manifest, problem }, this.#states.get(id));
    if (outcome) this.#outcomes.set(id, outcome);
    return outcome === null;
  }

  #outcomeWithoutStarting(
    { id, manifest, problem }: Pick<FoundPlugin, 'id' | 'manifest' | 'problem'>,
    state: PluginState | undefined,
  ): Outcome | null {
    if (!manifest) return failed('manifest', problem ?? 'plugin.json cannot be used');
    if (state?.desired !== 'enabled') return OFF;
    if (this.isSafeMode) return SAFE;
    const { markers } = this.#deps;
    const asked = { askedForAt: state.changedAt };
    if (this.#running.has(id) || markers?.isQuarantined(nameOf(manifest), asked) !== true) return null;
    return { ...QUARANTINED, error: markers.crashOf(nameOf(manifest), asked)?.why ?? null };
  }

  #isRunningAsFound(id: string): boolean {
    const folder = this.#running.get(id)?.found.folder;
    return folder !== undefined && folder === this.#found.find((plugin) => plugin.id === id)?.folder;
  }

  /** Another version in the same folder waits for a restart: Node keeps the modules it has. */
  async #endAllBut(order: readonly Manifest[]): Promise<void> {
    const staying = new Set(order.map(({ id }) => id));
    for (const id of [...this.#running.keys()].reverse()) {
      if (!staying.has(id)) await this.#deactivate(id);
    }
  }

  #watched(isWorthIt: boolean, work: () => Promise<void>): Promise<void> {
    const { watchdog } = this.#deps;
    return watchdog && isWorthIt ? watchdog.whileStarting(work) : work();
  }

  async #begin(manifest: Manifest): Promise<void> {
    const { id } = manifest;
    const askedForAt = this.#askedForAt(id);
    if (this.#isRunningAsFound(id)) {
      this.#outcomes.set(id, this.#outcomeOfRunning(manifest));
      await this.#clearAway(manifest);
      return;
    }
    if (this.#failedFor.get(id) === askedForAt) return;
    const missing = Object.keys(manifest.dependencies.requires).find((other) => !this.#running.has(other));
    if (missing !== undefined) {
      this.#outcomes.set(id, failed('order', `It requires ${missing}, which does not run`));
      return;
    }
    const found = this.#found.find((plugin) => plugin.id === id);
    if (!found) return;
    const problem = await this.#activate({ ...found, manifest });
    if (problem === null) {
      this.#failedFor.delete(id);
      return;
    }
    if (this.#inPassing.delete(id)) this.#later(setTimeout(() => void this.#tryAgain(), TRY_AGAIN_MS));
    else this.#failedFor.set(id, askedForAt);
    this.#outcomes.set(id, this.#running.has(id) ? { ...problem, state: 'enabled' } : problem);
    if (this.#running.has(id)) return;
    const before = await this.#foundBefore(this.#states.get(id), found);
    if (before?.manifest) await this.#standIn({ ...before, manifest: before.manifest }, problem);
  }

  /** The steps of its schema that only nobody's going back lets it take. What fails is told and tried again with the next change. */
  async #clearAway(manifest: Manifest): Promise<void> {
    const activation = this.#running.get(manifest.id);
    if (!activation || this.#states.get(manifest.id)?.previous) return;
    try {
      const all = await ownMigrations(activation.found, manifest);
      await migrate(this.#deps.ground.db, manifest.id, all);
    } catch (error) {
      this.#blame(manifest.id, 'migrate', error);
    }
  }

  #tryAgain(): Promise<void> {
    return this.converge().catch(() => {
      this.#later(setTimeout(() => void this.#tryAgain(), TRY_AGAIN_MS));
    });
  }

  /** The version before goes on, and it is said why. */
  async #standIn(before: FoundPlugin & { manifest: Manifest }, problem: Outcome): Promise<void> {
    if ((await this.#activate(before)) === null) {
      this.#outcomes.set(before.id, { ...problem, state: 'enabled' });
    }
  }

  async #foundBefore(
    state: PluginState | undefined,
    { folder }: FoundPlugin,
  ): Promise<FoundPlugin | undefined> {
    const release = (await listReleases(this.#deps.ground.db, state?.id ?? '')).find(
      ({ version }) => version === state?.previous,
    );
    const before = release && (await findAt(await this.#place(release), release.pluginId));
    return before && before.folder !== folder ? before : undefined;
  }

  /** Null when it runs. */
  async #activate(found: FoundPlugin & { manifest: Manifest }): Promise<Outcome | null> {
    const { manifest } = found;
    const { id } = manifest;
    const { markers } = this.#deps;
    markers?.booting(nameOf(manifest));
    const before = this.#running.get(id);
    this.#tellWatchdog([{ found, manifest }]);
    this.#everRan.set(found.home, { found, manifest });
    try {
      const activation = await activate(found, this.#activationDeps());
      markers?.booted(nameOf(manifest), { well: true });
      await this.#swap(activation, before);
      await this.#remember(activation);
      this.#reached('running');
      return null;
    } catch (error) {
      markers?.booted(nameOf(manifest), { well: false });
      if (this.#running.get(id) !== before) throw error;
      const step = error instanceof ActivationError ? error.step : 'setup';
      this.#blame(id, step, error);
      if (isPassing(error)) this.#inPassing.add(id);
      return failed(step, this.#wordsOf(error));
    }
  }

  /** For administrators and authors, who read English here as in the log; what is known has a sentence. */
  #wordsOf(error: unknown): string {
    const cause = error instanceof ActivationError ? error.cause : error;
    if (cause instanceof KnownError)
      return this.#deps.registries.i18n.translate('en', `errors.${cause.code}`, cause.params);
    return cause instanceof Error ? cause.message : String(cause);
  }

  /** Between two requests; whoever is still with the version before is let finish there. */
  async #swap(next: Activation, before: Activation | undefined): Promise<void> {
    const { id } = next.manifest;
    const paceOfOther = before ? paceSince(this.#pace(id), before.before?.pace) : new Map<string, never>();
    try {
      takePlace(next, before);
    } catch (error) {
      await next.scope.dispose({ drainMs: 0 });
      throw error;
    }
    next.before = { ...this.#counted(id), pace: this.#pace(id), paceOfOther };
    this.#running.set(id, next);
    this.#outcomes.set(id, this.#outcomeOfRunning(next.manifest));
    this.#tellWatchdog();
    this.#reached('swapped');
    await before?.scope.dispose({ drainMs: this.#deps.drainMs ?? DRAIN_MS });
    this.#reached('ended');
  }

  #askedForAt(id: string): number {
    return this.#states.get(id)?.changedAt ?? 0;
  }

  /** It runs; what there is to say about it is said all the same. */
  #outcomeOfRunning(manifest: Manifest): Outcome {
    const staying = this.#staying.get(manifest.id);
    if (staying) return staying;
    const asked = { askedForAt: this.#askedForAt(manifest.id) };
    const crash = this.#deps.markers?.crashOf(nameOf(manifest), asked);
    return crash ? stays('running', crash.why) : RUNNING;
  }

  /** Since this version of it began: what was counted before belongs to the one before. */
  #doing(id: string): Doing | null {
    const activation = this.#running.get(id);
    if (!activation) return null;
    const outcome = this.#outcomes.get(id) ?? RUNNING;
    const { calls, faults } = this.#counted(id);
    const { before } = activation;
    return {
      version: activation.manifest.version,
      calls: calls - (before?.calls ?? 0),
      faults: faults - (before?.faults ?? 0),
      pace: paceSince(this.#pace(id), before?.pace),
      paceBefore: before?.paceOfOther ?? new Map<string, never>(),
      problem: outcome.state === 'enabled' ? outcome.error : (outcome.error ?? outcome.state),
    };
  }

  #pace(id: string): Pace {
    return this.#deps.registries.hooks.latenciesOf(id);
  }

  #counted(id: string): { calls: number; faults: number } {
    const lines = this.#deps.registries.hooks.costs().filter(({ owner }) => owner === id);
    return {
      calls: lines.reduce((sum, line) => sum + line.calls, 0),
      faults: lines.reduce((sum, line) => sum + line.faults, 0),
    };
  }

  #tellWatchdog(beside: readonly Pick<Activation, 'found' | 'manifest'>[] = []): void {
    this.#deps.watchdog?.know(
      [...this.#running.values(), ...beside].map(({ manifest, found: { home } }) => ({
        name: nameOf(manifest),
        folder: home,
      })),
    );
  }

  readonly #reached: Reached = (point) => {
    this.#deps.reached?.(point);
  };

  #activationDeps(): Parameters<typeof activate>[1] {
    const { ground, registries, services, setupMs = SETUP_MS } = this.#deps;
    return {
      ground,
      registries,
      services,
      setupMs,
      reached: this.#reached,
      running: () => [...this.#running.values()].map(({ manifest }) => manifest),
      blame: (plugin, where, error) => {
        this.#blame(plugin, where, error);
      },
    };
  }

  /** What it listens to, for the time when it does not run. */
  async #remember({ manifest, hooks }: Activation): Promise<void> {
    const guards = [...hooks].sort();
    this.#expect(manifest.id, guards);
    const { db } = this.#deps.ground;
    const state = (await listStates(db)).find(({ id }) => id === manifest.id);
    if (state?.version === manifest.version && state.guards.join() === guards.join()) return;
    await db.transaction((tx) => setRunning(tx, manifest.id, { version: manifest.version, guards }));
  }

  async #deactivate(id: string): Promise<void> {
    const activation = this.#running.get(id);
    this.#running.delete(id);
    await activation?.scope.dispose({ drainMs: this.#deps.drainMs ?? DRAIN_MS });
    this.#tellWatchdog();
  }

  #blame(plugin: string, where: string, error: unknown): void {
    this.#deps.ground.log.error({ plugin, where, err: error, why: this.#wordsOf(error) }, 'A plugin failed');
  }

  /** Tells the other nodes, and the administrator's page on them, how it stands here. */
  async #report(): Promise<void> {
    const { ground, node, markers } = this.#deps;
    if (!markers) return;
    const now = ground.clock.now();
    const rows = this.#found.map(({ id, manifest }) => ({
      node,
      pluginId: id,
      version: this.#running.get(id)?.manifest.version ?? manifest?.version ?? '',
      ...(this.#outcomes.get(id) ?? OFF),
      changedAt: now,
      seenAt: now,
    }));
    await ground.db.transaction((tx) => replaceNode(tx, node, rows));
  }

  async #heartbeat(): Promise<void> {
    const { ground, node } = this.#deps;
    const at = ground.clock.now();
    await ground.db
      .transaction((tx) => touchNode(tx, node, { at, forgetBefore: at - NODE_GONE_MS }))
      .then(() => this.#lookAfterVersions())
      .catch((error: unknown) => {
        ground.log.warn({ err: error }, 'The list of nodes could not be kept up');
      });
  }

  /** Trials whose node is gone, and updates that nobody goes back from any more. */
  async #lookAfterVersions(): Promise<void> {
    const states = await listStates(this.#deps.ground.db);
    await this.#canary.look(states.filter(({ watchedOn }) => watchedOn !== this.#deps.node));
    for (const state of states.filter((one) => this.#canary.isSettled(one)))
      await this.settle(system, state.id);
  }

  /**
   * From now on there is no way back to the version before, so that what only that one needed can be cleared away.
   *
   * @throws {ConflictError} `plugin.still-watched` while the new version is on trial
   */
  async settle(actor: Actor, id: string): Promise<PluginFacts> {
    await this.#assertMayManage(actor, id);
    const { db, audit } = this.#deps.ground;
    const state = (await listStates(db)).find((one) => one.id === id);
    if (state?.watchedOn) throw new ConflictError('plugin.still-watched', { params: { plugin: id } });
    await db.transaction(async (tx) => {
      await setChosen(tx, id, {
        chosen: state?.chosen ?? null,
        previous: null,
        rolledOutAt: state?.rolledOutAt ?? null,
      });
      await audit.record(tx, actor, { action: 'plugin.settled', subject: { type: 'plugin', id, label: id } });
      await bumpVersion(tx, PLUGINS_VERSION);
    });
    await this.converge();
    return this.find(id, actor.locale);
  }

  async #all(locale: string): Promise<PluginFacts[]> {
    const { db } = this.#deps.ground;
    const nodes = await this.#liveNodes();
    const releases = await listReleases(db);
    const found = new Map(this.#found.map((plugin) => [plugin.id, plugin]));
    return (await listStates(db)).map((state) =>
      this.#factsOf(
        found.get(state.id) ?? missing(state.id, this.#staying.get(state.id)?.error ?? MISSING),
        state,
        { nodes, releases: releases.filter(({ pluginId }) => pluginId === state.id) },
        locale,
      ),
    );
  }

  #later(timer: NodeJS.Timeout): void {
    timer.unref();
    this.#timers.push(timer);
  }

  #listeningOf(id: string): Listening[] {
    const { hooks } = this.#deps.registries;
    const lines = hooks.costs().filter(({ owner }) => owner === id);
    return hooks.catalogue().flatMap(({ name, kind, listeners }) =>
      listeners
        .filter(({ owner }) => owner === id)
        .map(({ calls, faults, averageMs, breaker }) => {
          // Events are told by the dispatcher, which keeps its own account of them.
          const told = kind === 'event' && lines.find((line) => line.kind === 'event' && line.name === name);
          const counted = told || { calls, faults, averageMs };
          return {
            hook: name,
            calls: counted.calls,
            faults: counted.faults,
            averageMs: counted.averageMs,
            isResting: breaker !== 'closed',
          };
        }),
    );
  }

  /** Pages, places and jobs of its that went wrong since this process started. */
  #failuresOf(id: string): Failing[] {
    return this.#deps.registries.hooks
      .costs()
      .filter(({ owner, kind, faults }) => owner === id && faults > 0 && OWN_WORK.has(kind))
      .map(({ name, calls, faults }) => ({ name, calls, faults }));
  }

  #manifests(): Manifest[] {
    return this.#found.flatMap(({ manifest }) => manifest ?? []);
  }

  #factsOf(
    found: FoundPlugin,
    state: PluginState,
    { nodes, releases }: { nodes: readonly PluginNode[]; releases: readonly Release[] },
    locale: string,
  ): PluginFacts {
    const { id, manifest, isBundled } = found;
    const enabled = new Set(this.#running.keys());
    const running = this.#running.get(id)?.manifest.version;
    return {
      id,
      isBundled,
      manifest,
      drifted: this.#running.get(id)?.drifted ?? [],
      name: manifest ? textOf(found, manifest.name, locale) : id,
      description: manifest ? textOf(found, manifest.description, locale) : '',
      version: running ?? manifest?.version ?? '',
      desired: state.desired,
      changedAt: state.changedAt,
      changedBy: state.changedBy,
      ...outcomeOf(
        manifest === null ? failed('manifest', found.problem ?? '') : (this.#outcomes.get(id) ?? OFF),
      ),
      waitingVersion:
        running && manifest && running !== manifest.version && state.chosen === null
          ? manifest.version
          : null,
      nodes: nodes.filter(({ pluginId }) => pluginId === id),
      listens: this.#listeningOf(id),
      failing: this.#failuresOf(id),
      rightTitles: manifest?.rights.map((right) => textOf(found, `t:rights.${right.id}`, locale)) ?? [],
      dependents: dependentsOf(id, this.#manifests()).filter((other) => enabled.has(other)),
      requirements: requirementsOf(id, this.#manifests()).filter((other) => !enabled.has(other)),
      releases: releases.map(
        ({ version, size, addedAt, addedBy, trust, signedBy, wentWrong, ...release }) => ({
          version,
          size,
          addedAt,
          addedBy,
          trust,
          signedBy,
          wentWrong,
          madeFor: release.manifest.engines.latchkey,
        }),
      ),
      watched:
        state.watchedOn === null
          ? null
          : { on: state.watchedOn, until: state.watchedUntil ?? 0, done: state.rolledTo?.length ?? 0 },
      disabledWith: state.disabledWith,
      returning: [...this.#states.values()].filter((one) => one.disabledWith === id).map((one) => one.id),
      chosen: state.chosen,
      previous: state.previous,
    };
  }
}

const missing = (id: string, problem: string): FoundPlugin => ({
  id,
  folder: '',
  home: '',
  isBundled: false,
  manifest: null,
  problem,
  texts: new Map(),
});

const nameOf = ({ id, version }: Manifest): string => `${id}@${version}`;

function wordsOf({ code, other, wanted }: OrderProblem): string {
  switch (code) {
    case 'engine':
      return `It is made for Latchkey ${wanted}`;
    case 'missing':
      return `It requires ${other} ${wanted}, which is not enabled`;
    case 'version':
      return `It wants ${other} ${wanted}, which has another version`;
    case 'conflict':
      return `It cannot run beside ${other} ${wanted}`;
    case 'circle':
      return `It requires what requires it: ${other}`;
  }
}
