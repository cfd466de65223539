import type { BootMarkers } from './boot-markers.ts';
import type { Reached } from './crash-points.ts';
import { findAt, findPlugins, type FoundPlugin, type Places } from './discovery.ts';
import type { Manifest } from './manifest.ts';
import type { NameFault } from './name-fault.ts';
import { stays, type Outcome } from './outcome.ts';
import { listStates, type PluginState } from './plugin-repository.ts';
import type { Ground } from './registries.ts';
import { folderOf, placeRelease } from './release-folders.ts';
import { listReleases, type Release } from './release-repository.ts';

const MISSING = 'Its folder is gone';

interface Deps {
  ground: Pick<Ground, 'db'>;
  places: Places;
  node: string;
  markers: BootMarkers | null;
  /** Out of which folder it runs, where it does. */
  runsFrom: (id: string) => string | undefined;
  nameFault: NameFault;
  reached: Reached;
}

/** What lies here of each plugin: of an installed one, the version that it is this server's turn to run. */
export class PluginShelf {
  readonly #deps: Deps;
  #found: FoundPlugin[] = [];
  /** What is wanted of them cannot be had here, and why: where a version of theirs runs, it goes on. */
  readonly #staying = new Map<string, Outcome>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get found(): readonly FoundPlugin[] {
    return this.#found;
  }

  find(id: string): FoundPlugin | undefined {
    return this.#found.find((plugin) => plugin.id === id);
  }

  /** One that is not there says why. */
  findOrMissing(id: string): FoundPlugin {
    return this.find(id) ?? missing(id, this.#staying.get(id)?.error ?? MISSING);
  }

  manifests(): Manifest[] {
    return this.#found.flatMap(({ manifest }) => manifest ?? []);
  }

  /** Why another version of it runs than the one that is wanted. */
  whyStaying(id: string): Outcome | undefined {
    return this.#staying.get(id);
  }

  /** This one goes on in place of the version that is wanted. */
  stayWith(running: FoundPlugin, why: Outcome): void {
    this.#staying.set(running.id, why);
    this.#found = this.#found.map((found) => (found.id === running.id ? running : found));
  }

  /** Looks again, and fetches the files of every release that is wanted. */
  async look(): Promise<void> {
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

  /** The version before the one that is wanted, unless that is what lies here. */
  async findBefore({ id, previous }: PluginState): Promise<FoundPlugin | undefined> {
    const releases = await listReleases(this.#deps.ground.db, id);
    const release = releases.find(({ version }) => version === previous);
    const before = release && (await findAt(await this.#place(release), release.pluginId));
    return before && before.folder !== this.find(id)?.folder ? before : undefined;
  }

  /** A version that keeps crashing gives way to the one before, and so does one whose turn on this server has not come. */
  #versionFor({ id, chosen, previous, changedAt, watchedOn, rolledTo }: PluginState): string {
    const { node, markers } = this.#deps;
    const isMyTurn = watchedOn === null || watchedOn === node || rolledTo?.includes(node) === true;
    if (!isMyTurn && previous !== null) return previous;
    const isSetAside = markers?.isQuarantined(`${id}@${chosen ?? ''}`, { askedForAt: changedAt }) ?? false;
    return (isSetAside ? previous : null) ?? chosen ?? '';
  }

  /** The folder of a release; of what runs or ran before it, where its files cannot be had. */
  async #placeOrStay(release: Release, before: Release | undefined): Promise<string> {
    const { nameFault, runsFrom, places } = this.#deps;
    const { pluginId } = release;
    try {
      return await this.#place(release);
    } catch (error) {
      nameFault(pluginId, 'fetch', error);
      this.#staying.set(pluginId, stays('fetch', error instanceof Error ? error.message : String(error)));
      const standIn = runsFrom(pluginId) ?? (before && (await this.#place(before).catch(() => undefined)));
      return standIn ?? folderOf(places.added, release);
    }
  }

  #place(release: Release): Promise<string> {
    const { ground, places, reached } = this.#deps;
    return placeRelease(ground.db, release, { added: places.added, reached });
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
