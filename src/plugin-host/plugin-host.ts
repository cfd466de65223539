import { migrateDown } from '../db/migrations.ts';
import type { Versions } from '../db/versions.ts';
import type { Undo } from '../hooks/index.ts';
import { CORE_OWNER } from '../http/route-table.ts';
import { redact } from '../crypto/tokens.ts';
import { system, type Actor } from '../shared/actor.ts';
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts';
import type { SlotListener } from '../views/index.ts';
import { ownMigrations } from './activation.ts';
import { makeArchivedTables, type ArchivedRows } from './archived-plugins.ts';
import type { BootMarkers } from './boot-markers.ts';
import { Canary } from './canary.ts';
import type { Reached } from './crash-points.ts';
import type { FoundPlugin, Places } from './discovery.ts';
import { ExpectedListeners } from './expected-listeners.ts';
import { dependentsOf, planOrder, requirementsOf, type Plan } from './load-order.ts';
import { nameOf, type Manifest } from './manifest.ts';
import { naming } from './name-fault.ts';
import { MemoryLog } from './memory-log.ts';
import { HEARTBEAT_MS, Neighbours, saidOf } from './neighbours.ts';
import { nobodyObjects, type Objecting, type Objection } from './objection.ts';
import {
  failed,
  OFF,
  quarantined,
  RUNNING,
  SAFE,
  sentenceOf,
  stays,
  wordsOf,
  type Outcome,
} from './outcome.ts';
import { prefixOf } from './own-tables.ts';
import { PluginBlame } from './plugin-blame.ts';
import { factsOf, workIn, type PluginFacts } from './plugin-facts.ts';
import { resolvePluginApi } from './plugin-loader.ts';
import type { PluginNews, Trouble } from './plugin-news.ts';
import type { PluginState } from './plugin-repository.ts';
import { PluginRunner } from './plugin-runner.ts';
import { PluginShelf } from './plugin-shelf.ts';
import { PLUGINS_VERSION, PluginWishes } from './plugin-wishes.ts';
import type { Ground, Registries, Services } from './registries.ts';
import { clearStaging } from './release-folders.ts';
import { listReleases } from './release-repository.ts';
import type { SafeModeReason } from './safe-mode.ts';
import { SecondTries } from './second-tries.ts';
import type { Watchdog } from './watchdog.ts';

/** Often enough to meet the moments after rubbish was collected. */
const MEMORY_MS = 10_000;
const SETTLE_MS = 2_000;

export interface PluginHostDeps {
  ground: Ground;
  registries: Registries;
  services: Services;
  /** For what people must hear of. */
  news: Pick<PluginNews, 'tell' | 'tellIn' | 'tellOfSafeMode'>;
  versions: Versions;
  places: Places;
  latchkeyVersion: string;
  /** What this process is called in the list of nodes. */
  node: string;
  /** Why no plugin code is to run from the start; null where it is. */
  safeMode: SafeModeReason | null;
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

/**
 * Brings what runs here to what is wanted everywhere. The wish stands in the database and is the same for all nodes;
 * what each made of it stands beside it. One plugin that cannot run stops nobody else.
 */
export class PluginHost {
  /** What this process uses, and since when each plugin runs. */
  readonly memory: MemoryLog;
  readonly #deps: PluginHostDeps;
  readonly #wishes: PluginWishes;
  readonly #shelf: PluginShelf;
  readonly #runner: PluginRunner;
  readonly #expected: ExpectedListeners;
  readonly #blame: PluginBlame;
  readonly #tries: SecondTries;
  readonly #neighbours: Neighbours;
  readonly #canary: Canary;
  readonly #outcomes = new Map<string, Outcome>();
  #states: ReadonlyMap<string, PluginState> = new Map();
  #safeMode: SafeModeReason | null;
  #objecting: Objecting = nobodyObjects;
  #turn: Promise<void> = Promise.resolve();
  #hearing: Undo[] = [];
  #timers: NodeJS.Timeout[] = [];

  constructor(deps: PluginHostDeps) {
    this.#deps = deps;
    const { ground, registries, news, node, markers, safeMode } = deps;
    const { hooks } = registries;
    const shared = { ...deps, nameFault: naming(ground.log, registries.i18n), reached: this.#reached };
    this.#safeMode = safeMode;
    this.#wishes = new PluginWishes(ground);
    this.memory = new MemoryLog(ground.clock);
    this.#runner = new PluginRunner({
      ...shared,
      memory: this.memory,
      onPlaced: (manifest) => this.#outcomes.set(manifest.id, this.#outcomeOfRunning(manifest)),
    });
    this.#shelf = new PluginShelf({ ...shared, runsFrom: (id) => this.#runner.runsFrom(id) });
    this.#expected = new ExpectedListeners({ ground, hooks });
    this.#neighbours = new Neighbours({ ground, node });
    this.#tries = new SecondTries(() => this.converge());
    this.#blame = new PluginBlame({
      ...shared,
      hooks,
      markers,
      runner: this.#runner,
      onTrouble: (id, words) => {
        this.#afterwards(() => this.#sayTrouble(id, words));
      },
      onEnough: (id, words) => {
        this.#afterwards(() => this.#giveUp(id, words));
      },
    });
    this.#canary = new Canary({
      ground,
      news,
      node,
      versionRow: PLUGINS_VERSION,
      doing: (id) => this.#runner.doing(id, this.#outcomes.get(id) ?? RUNNING),
      liveNodes: () => this.#neighbours.live(),
      converge: () => this.converge(),
      reached: this.#reached,
    });
  }

  get isSafeMode(): boolean {
    return this.#safeMode !== null;
  }

  /** Starts what is enabled, and follows what is changed elsewhere. Never fails for a plugin's sake. */
  async start(): Promise<void> {
    const { versions, markers, node, places } = this.#deps;
    resolvePluginApi();
    const before = markers?.starting(node) ?? null;
    if (markers?.wantsSafeMode === true) this.#safeMode ??= 'starts';
    // What crashed here does not run any more, and nobody else could know.
    if (before !== null) await this.#takeOverFrom(before);
    this.#sayWhoCrashed();
    this.#hearing = [this.#blame.listen(), versions.watch(PLUGINS_VERSION, () => this.converge())];
    await this.converge();
    if (!markers) return;
    await this.#sayWhetherSafe(markers);
    await clearStaging(places.added, { now: Date.now() });
    this.#later(
      setTimeout(() => {
        markers.settled();
      }, SETTLE_MS),
    );
    this.#later(setInterval(() => void this.#heartbeat(), HEARTBEAT_MS));
    this.memory.take();
    this.#later(
      setInterval(() => {
        this.memory.take();
      }, MEMORY_MS),
    );
  }

  async #takeOverFrom(before: string): Promise<void> {
    const { markers } = this.#deps;
    await this.#neighbours.leave(before);
    const crash = markers?.lastCrash ?? null;
    await this.#canary.resume(await this.#wishes.all(), { before, crash });
  }

  #sayWhoCrashed(): void {
    const { markers, ground } = this.#deps;
    if (!markers?.lastCrash) return;
    ground.log.error(markers.lastCrash, 'The server was ended for the sake of a plugin');
  }

  /** It stands on every page of whoever could mend it; where nobody has asked for it, they hear of it, too, once for each time. */
  async #sayWhetherSafe(markers: BootMarkers): Promise<void> {
    const { news, node, ground, registries } = this.#deps;
    const reason = this.#safeMode;
    if (reason === null) {
      markers.toldOfSafeMode(false);
      return;
    }
    const suspects = markers.suspects();
    const banner: SlotListener = (_page, actor) => (actor.can('plugin.manage') ? { reason, suspects } : null);
    this.#hearing.push(registries.slots.add('layout.banner', CORE_OWNER, 'plugins/safe-mode', banner));
    if (reason === 'asked') return;
    ground.log.error({ reason, suspects }, 'Safe mode: no plugin code is running');
    if (markers.hasToldOfSafeMode) return;
    try {
      await news.tellOfSafeMode({ reason, node, suspects });
      markers.toldOfSafeMode(true);
    } catch (error) {
      ground.log.warn({ err: error }, 'Nobody could be told of safe mode');
    }
  }

  /** Ends every plugin in order, those that lean on others first. */
  async stop(): Promise<void> {
    for (const unhear of this.#hearing) unhear();
    this.#canary.stop();
    this.#tries.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#turn;
    await this.#runner.endAllBut(new Set());
    this.#expected.forget();
    if (!this.#deps.markers) return;
    this.#deps.markers.settled();
    await this.#neighbours.leave();
  }

  /**
   * Makes it so. Calls wait for each other: plugins are started and ended one at a time. Should it fail, as it does while the database is
   * away, it is tried again until it did not: nobody else would notice that this server has not followed.
   */
  converge(): Promise<void> {
    const turn = this.#turn.then(() => this.#converge());
    this.#turn = turn.catch(() => {
      this.#tries.soon();
    });
    return turn;
  }

  /** Those on disk, and those that are enabled although their folder is gone: somebody must be able to disable them. */
  async list(locale: string): Promise<PluginFacts[]> {
    const present = new Set(this.#shelf.found.map(({ id }) => id));
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
    const returning = await this.#wishes.disabledWith(id);
    const wanted = [id, ...returning].flatMap((one) => [
      one,
      ...requirementsOf(one, this.#shelf.manifests()),
    ]);
    const ids = [...new Set(wanted)];
    for (const one of ids) await this.assertNothingAgainst(one);
    await this.follow(ids, { at: await this.#wishes.want(actor, ids, 'enabled') });
    return this.find(id, actor.locale);
  }

  /** Disables it and what leans on it. Whatever it registered is gone when this returns; its data stays. */
  async disable(actor: Actor, id: string): Promise<PluginFacts> {
    await this.#assertMayManage(actor, id);
    const states = await this.#wishes.all();
    const isEnabled = (one: string): boolean =>
      states.find((state) => state.id === one)?.desired === 'enabled';
    const dependents = dependentsOf(id, this.#shelf.manifests()).filter(isEnabled);
    const ids = [id, ...dependents];
    await this.follow(ids, { at: await this.#wishes.want(actor, ids, 'disabled', { dependents }) });
    return this.find(id, actor.locale);
  }

  /** From now on this is asked before a plugin is put to use. */
  heed(objecting: Objecting): void {
    this.#objecting = objecting;
  }

  /** What there is against a version of it, the one in use unless said. */
  async objectionTo(id: string, version?: string): Promise<Objection | null> {
    const chosen = (await this.#wishes.of(id))?.chosen;
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
    return (await this.#neighbours.live())[0]?.node ?? null;
  }

  /** After a change of what is wanted that was written: makes it so here, and waits for the servers where none is here. */
  async follow(ids: readonly string[], { at }: { at: number }): Promise<void> {
    this.#reached('wanted');
    for (const id of ids) this.#tries.beginAnew(id);
    if (this.#deps.isOnlooker === true) await this.#neighbours.waitUntilAllLooked(at);
    await this.converge();
  }

  /** What is known of it from its manifest, and from those of all others. */
  manifestOf(id: string): Manifest | null {
    return this.#shelf.find(id)?.manifest ?? null;
  }

  /** Tables of plugins from which nothing is ever taken, not even when a backup is put back. */
  appendOnlyTables(): string[] {
    return this.#shelf
      .manifests()
      .flatMap((manifest) => manifest.appendOnly.filter((table) => table.startsWith(prefixOf(manifest))));
  }

  /** Before a backup is put back: the tables of plugins that it brings along. Whose those are that could not be made. */
  makeArchivedTables(tables: readonly string[], rowsOf: ArchivedRows): Promise<Map<string, string>> {
    const { ground, places } = this.#deps;
    const deps = { db: ground.db, found: this.#shelf.found, added: places.added };
    return makeArchivedTables(tables, rowsOf, deps);
  }

  /** Those that have lately been heard of. */
  async servers(): Promise<string[]> {
    return [...new Set((await this.#neighbours.live()).map(({ node }) => node))];
  }

  get latchkeyVersion(): string {
    return this.#deps.latchkeyVersion;
  }

  /**
   * An error that nobody caught: whether a plugin's code is in its trace. If so it is charged to that plugin and the process may go on;
   * at the third within ten minutes the plugin is ended on this node. Where the process must end all the same, the next one reads why.
   */
  takeBlame(error: unknown, { endsProcess = false } = {}): boolean {
    return this.#blame.take(error, { endsProcess });
  }

  /** A page could not be drawn: charged to the plugin whose template it was. */
  takeDrawingBlame(error: unknown): void {
    this.#blame.takeDrawing(error);
  }

  /**
   * Takes back a disabled plugin's schema, and all that is in it. There is no way back but a backup.
   * @throws {ConflictError} `plugin.still-enabled`
   */
  async purge(actor: Actor, id: string): Promise<void> {
    await this.#assertMayManage(actor, id);
    const found = this.#shelf.find(id);
    const state = await this.#wishes.of(id);
    if (state?.desired !== 'disabled' || this.#runner.has(id)) {
      throw new ConflictError('plugin.still-enabled', { params: { plugin: id } });
    }
    if (!found?.manifest) throw new NotFoundError('plugin.not-found', { params: { plugin: id } });
    await migrateDown(this.#deps.ground.db, id, await ownMigrations(found, found.manifest));
    await this.#wishes.recordPurged(actor, id);
  }

  /**
   * From now on there is no way back to the version before, so that what only that one needed can be cleared away.
   *
   * @throws {ConflictError} `plugin.still-watched` while the new version is on trial
   */
  async settle(actor: Actor, id: string): Promise<PluginFacts> {
    await this.#assertMayManage(actor, id);
    await this.#wishes.settle(actor, id);
    this.#reached('settled');
    await this.converge();
    return this.find(id, actor.locale);
  }

  async #assertMayManage(actor: Actor, id: string): Promise<void> {
    if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
    await this.find(id, actor.locale);
  }

  async #converge(): Promise<void> {
    await this.#shelf.look();
    await this.#wishes.introduce(this.#shelf.found);
    const states = new Map((await this.#wishes.all()).map((state) => [state.id, state]));
    this.#expected.expectOf(states.values());
    if (this.#deps.isOnlooker === true) {
      const nodes = await this.#neighbours.live();
      for (const state of states.values()) this.#outcomes.set(state.id, saidOf(nodes, state));
      return;
    }

    this.#states = states;
    const { order, problems } = this.#plan();
    for (const [id, problem] of problems) this.#outcomes.set(id, failed('order', wordsOf(problem)));

    // Another version in the same folder waits for a restart: Node keeps the modules it has.
    await this.#runner.endAllBut(new Set(order.map(({ id }) => id)));
    await this.#beginAll(order);
    await this.#report();
    if (this.#deps.markers) this.#canary.follow(states.values());
    await this.#tellOfCrashes(states.values());
    this.#tries.wentWell();
    this.#reached('reported');
  }

  /** Who starts after whom. A version that cannot run beside the others leaves its place to the one that does. */
  #plan(): Plan {
    const { latchkeyVersion } = this.#deps;
    const manifestsOf = (): Manifest[] =>
      this.#shelf.found.filter((found) => this.#isWanted(found)).flatMap(({ manifest }) => manifest ?? []);
    const first = planOrder(manifestsOf(), latchkeyVersion);
    for (const [id, problem] of first.problems) {
      const running = this.#runner.get(id)?.found;
      if (running && !this.#runsAsFound(id)) this.#shelf.stayWith(running, stays('order', wordsOf(problem)));
    }
    return planOrder(manifestsOf(), latchkeyVersion);
  }

  /** Says at once what becomes of those that are not to run here. */
  #isWanted(found: FoundPlugin): boolean {
    const outcome = this.#outcomeWithoutStarting(found, this.#states.get(found.id));
    if (outcome) this.#outcomes.set(found.id, outcome);
    return outcome === null;
  }

  #outcomeWithoutStarting(
    { id, manifest, problem }: FoundPlugin,
    state: PluginState | undefined,
  ): Outcome | null {
    if (!manifest) return failed('manifest', problem ?? 'plugin.json cannot be used');
    if (state?.desired !== 'enabled') return OFF;
    if (this.isSafeMode) return SAFE;
    const { markers } = this.#deps;
    const asked = { askedForAt: state.changedAt };
    if (this.#runner.has(id) || markers?.isQuarantined(nameOf(manifest), asked) !== true) return null;
    return quarantined(markers.crashOf(nameOf(manifest), asked)?.why ?? null);
  }

  #runsAsFound(id: string): boolean {
    const folder = this.#runner.runsFrom(id);
    return folder !== undefined && folder === this.#shelf.find(id)?.folder;
  }

  async #beginAll(order: readonly Manifest[]): Promise<void> {
    const work = async (): Promise<void> => {
      for (const manifest of order) await this.#begin(manifest);
    };
    if (order.every(({ id }) => this.#runsAsFound(id))) await work();
    else await this.#runner.starting(work);
  }

  async #begin(manifest: Manifest): Promise<void> {
    const { id } = manifest;
    if (this.#runsAsFound(id)) await this.#goOn(manifest);
    else if (!this.#tries.isGivenUp(id, this.#askedFor(id))) await this.#startAnew(manifest);
  }

  async #goOn(manifest: Manifest): Promise<void> {
    const { id } = manifest;
    this.#outcomes.set(id, this.#outcomeOfRunning(manifest));
    await this.#rememberListeners(id);
    await this.#clearAway(id);
  }

  /** What only the version before needed, once there is no way back to it. */
  async #clearAway(id: string): Promise<void> {
    if (!this.#states.get(id)?.previous) await this.#runner.clearAway(id);
  }

  async #startAnew(manifest: Manifest): Promise<void> {
    const { id } = manifest;
    const missing = Object.keys(manifest.dependencies.requires).find((other) => !this.#runner.has(other));
    const found = this.#shelf.find(id);
    if (missing !== undefined) {
      this.#outcomes.set(id, failed('order', `It requires ${missing}, which does not run`));
    } else if (found) await this.#startOrStandIn({ ...found, manifest });
  }

  /** Where it does not start, the version before goes on, and it is said why. */
  async #startOrStandIn(found: FoundPlugin & { manifest: Manifest }): Promise<void> {
    const { id } = found;
    const failure = await this.#runner.start(found);
    if (failure === null) {
      this.#tries.beginAnew(id);
      await this.#rememberListeners(id);
      this.#reached('running');
      // Wished for before this server was started again, and not done.
      if (this.#states.get(id)?.chosen) await this.#clearAway(id);
      return;
    }
    this.#tries.failed(id, failure, this.#askedFor(id));
    const problem = failed(failure.step, sentenceOf(failure, this.#deps.registries.i18n));
    this.#outcomes.set(id, this.#runner.has(id) ? { ...problem, state: 'enabled' } : problem);
    if (!this.#runner.has(id)) await this.#standIn(id, problem);
  }

  async #standIn(id: string, problem: Outcome): Promise<void> {
    const state = this.#states.get(id);
    const before = state && (await this.#shelf.findBefore(state));
    if (!before?.manifest) return;
    if ((await this.#runner.start({ ...before, manifest: before.manifest })) !== null) return;
    await this.#rememberListeners(id);
    this.#outcomes.set(id, { ...problem, state: 'enabled' });
  }

  /** That it runs is what counts: where it could not be written what it guards, that is done at the next look. */
  async #rememberListeners(id: string): Promise<void> {
    const activation = this.#runner.get(id);
    if (!activation) return;
    await this.#expected.remember(activation, this.#states.get(id)).catch((error: unknown) => {
      this.#deps.ground.log.warn({ plugin: id, err: error }, 'What a plugin listens to could not be kept');
      this.#tries.soon();
    });
  }

  #askedFor(id: string): { askedForAt: number } {
    return { askedForAt: this.#states.get(id)?.changedAt ?? 0 };
  }

  /** It runs; what there is to say about it is said all the same. */
  #outcomeOfRunning(manifest: Manifest): Outcome {
    const staying = this.#shelf.whyStaying(manifest.id);
    if (staying) return staying;
    const crash = this.#deps.markers?.crashOf(nameOf(manifest), this.#askedFor(manifest.id));
    return crash ? stays('running', crash.why) : RUNNING;
  }

  async #sayTrouble(id: string, words: string): Promise<void> {
    this.#outcomes.set(id, stays('running', words));
    await this.#report();
    await this.#tell('troubled', id, words);
  }

  async #giveUp(id: string, words: string): Promise<void> {
    const state = await this.#wishes.of(id);
    await this.#runner.end(id);
    this.#blame.forget(id);
    this.#tries.giveUp(id, { askedForAt: state?.changedAt ?? 0 });
    this.#outcomes.set(id, failed('running', words));
    await this.#report();
    await this.#tell('ended', id, words);
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

  /** Tells the other nodes, and the administrator's page on them, how it stands here. */
  async #report(): Promise<void> {
    if (!this.#deps.markers) return;
    await this.#neighbours.report(
      this.#shelf.found.map(({ id, manifest }) => ({
        pluginId: id,
        version: this.#runner.get(id)?.manifest.version ?? manifest?.version ?? '',
        ...(this.#outcomes.get(id) ?? OFF),
      })),
    );
  }

  async #heartbeat(): Promise<void> {
    try {
      if (!(await this.#neighbours.beat())) await this.converge();
      await this.#lookAfterVersions();
    } catch (error) {
      this.#deps.ground.log.warn({ err: error }, 'The list of nodes could not be kept up');
    }
  }

  /** Trials whose node is gone, and updates that nobody goes back from any more. */
  async #lookAfterVersions(): Promise<void> {
    const states = await this.#wishes.all();
    await this.#canary.look(states.filter(({ watchedOn }) => watchedOn !== this.#deps.node));
    for (const state of states.filter((one) => this.#canary.isSettled(one)))
      await this.settle(system, state.id);
  }

  async #all(locale: string): Promise<PluginFacts[]> {
    const nodes = await this.#neighbours.live();
    const releases = await listReleases(this.#deps.ground.db);
    const others = {
      manifests: this.#shelf.manifests(),
      running: new Set(this.#runner.ids()),
      states: [...this.#states.values()],
    };
    const wishes = await this.#wishes.all();
    const workOf = workIn(this.#deps.registries.hooks);
    return wishes.map((state) => {
      const { id } = state;
      const found = this.#shelf.findOrMissing(id);
      const [outcome, runs] = [this.#outcomes.get(id), this.#runner.get(id)];

      return factsOf({ found, state, outcome, runs, nodes, releases, ...workOf(id) }, others, locale);
    });
  }

  /** Once nothing else is being started or ended. */
  #afterwards(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work).catch(() => undefined);
  }

  readonly #reached: Reached = (point) => {
    this.#deps.reached?.(point);
  };

  #later(timer: NodeJS.Timeout): void {
    timer.unref();
    this.#timers.push(timer);
  }
}
