import { migrate } from '../db/migrations.ts';
import {
  activate,
  ActivationError,
  culpritOf,
  ownMigrations,
  takePlace,
  type Activation,
} from './activation.ts';
import type { BootMarkers } from './boot-markers.ts';
import type { Step } from './plugin-repository.ts';
import type { Reached } from './crash-points.ts';
import type { FoundPlugin } from './discovery.ts';
import { nameOf, type Manifest } from './manifest.ts';
import type { MemoryLog } from './memory-log.ts';
import type { NameFault } from './name-fault.ts';
import type { Outcome } from './outcome.ts';
import type { Ground, Registries, Services } from './registries.ts';
import { paceSince, type Doing, type Pace } from './trial.ts';
import type { Watchdog } from './watchdog.ts';

const SETUP_MS = 10_000;
const DRAIN_MS = 5_000;

interface Deps {
  ground: Ground;
  registries: Registries;
  services: Services;
  markers: BootMarkers | null;
  watchdog?: Watchdog | null;
  setupMs?: number;
  drainMs?: number;
  nameFault: NameFault;
  memory: MemoryLog;
  /** It runs, though whoever is with the version before may not be done yet. */
  onPlaced: (manifest: Manifest) => void;
  reached: Reached;
}

/** What has run here, and may still throw. */
export type Known = Pick<Activation, 'found' | 'manifest'>;

/** The plugins that run in this process: starts them, has one version take the place of another, and ends them. */
export class PluginRunner {
  readonly #deps: Deps;
  readonly #running = new Map<string, Activation>();
  /** By where it lies: what one that was ended has left behind may still throw. */
  readonly #everRan = new Map<string, Known>();
  /** Of these, what only the version before needed is gone. */
  readonly #cleared = new WeakSet<Activation>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  get(id: string): Activation | undefined {
    return this.#running.get(id);
  }

  /** In the order in which they started. */
  ids(): string[] {
    return [...this.#running.keys()];
  }

  runsFrom(id: string): string | undefined {
    return this.#running.get(id)?.found.folder;
  }

  /** Whose code stands in the trace of an error. */
  culpritOf(error: unknown): Known | undefined {
    return culpritOf<Known>(error, [...this.#running.values(), ...this.#everRan.values()]);
  }

  /** While plugins are being started, standing still is held against them. */
  starting(work: () => Promise<void>): Promise<void> {
    return this.#deps.watchdog?.whileStarting(work) ?? work();
  }

  /** Null when it runs; else how far it came, and what runs of it so far goes on. */
  async start(found: FoundPlugin & { manifest: Manifest }): Promise<ActivationError | null> {
    const { manifest } = found;
    const { markers, nameFault } = this.#deps;
    const before = this.#running.get(manifest.id);
    markers?.booting(nameOf(manifest));
    this.#tellWatchdog([{ found, manifest }]);
    this.#everRan.set(found.home, { found, manifest });
    try {
      const activation = await activate(found, this.#activationDeps());
      markers?.booted(nameOf(manifest), { well: true });
      await this.#putInPlace(activation, before);
    } catch (error) {
      markers?.booted(nameOf(manifest), { well: false });
      const last: Step = 'setup';
      const failure = error instanceof ActivationError ? error : new ActivationError(last, error);
      nameFault(manifest.id, failure.step, error);
      return failure;
    }
    await this.#endBefore(before);
    return null;
  }

  /** Whatever it registered is gone when this returns. */
  async end(id: string): Promise<void> {
    const activation = this.#running.get(id);
    this.#running.delete(id);
    this.#deps.memory.ended(id);
    await activation?.scope.dispose({ drainMs: this.#drainMs });
    this.#tellWatchdog();
  }

  /** Those that lean on others first. */
  async endAllBut(staying: ReadonlySet<string>): Promise<void> {
    for (const id of this.ids().reverse()) if (!staying.has(id)) await this.end(id);
  }

  /**
   * The steps of its schema that only nobody's going back lets it take, once. What fails is told and tried again with the next
   * change.
   */
  async clearAway(id: string): Promise<void> {
    const activation = this.#running.get(id);
    if (!activation || this.#cleared.has(activation)) return;
    try {
      const all = await ownMigrations(activation.found, activation.manifest);
      await migrate(this.#deps.ground.db, id, all);
      this.#cleared.add(activation);
      this.#deps.reached('cleared');
    } catch (error) {
      this.#deps.nameFault(id, 'migrate', error);
    }
  }

  /** Since this version of it began: what was counted before belongs to the one before. */
  doing(id: string, outcome: Outcome): Doing | null {
    const activation = this.#running.get(id);
    if (!activation) return null;
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

  /** Between two requests. */
  async #putInPlace(next: Activation, before: Activation | undefined): Promise<void> {
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
    this.#deps.memory.began(next.manifest);
    this.#deps.onPlaced(next.manifest);
    this.#tellWatchdog();
    this.#deps.reached('swapped');
  }

  /** Whoever is still with it is let finish there. */
  async #endBefore(before: Activation | undefined): Promise<void> {
    await before?.scope.dispose({ drainMs: this.#drainMs });
    this.#deps.reached('ended');
  }

  get #drainMs(): number {
    return this.#deps.drainMs ?? DRAIN_MS;
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

  #tellWatchdog(beside: readonly Known[] = []): void {
    this.#deps.watchdog?.know(
      [...this.#running.values(), ...beside].map(({ manifest, found: { home } }) => ({
        name: nameOf(manifest),
        folder: home,
      })),
    );
  }

  #activationDeps(): Parameters<typeof activate>[1] {
    const { ground, registries, services, setupMs = SETUP_MS, reached, nameFault } = this.#deps;
    const running = (): Manifest[] => [...this.#running.values()].map(({ manifest }) => manifest);
    return { ground, registries, services, setupMs, reached, running, blame: nameFault };
  }
}
