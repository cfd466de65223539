import type { Undo } from '../hooks/index.ts';
import type { Activation } from './activation.ts';
import { setRunning, type PluginState } from './plugin-repository.ts';
import type { Ground, Registries } from './registries.ts';

interface Deps {
  ground: Pick<Ground, 'db'>;
  hooks: Pick<Registries['hooks'], 'expectListener'>;
}

/** A plugin that is enabled and does not run must not mean that what it guards stands open (ruling 13). */
export class ExpectedListeners {
  readonly #deps: Deps;
  readonly #expected = new Map<string, Undo>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** From what each listened to when it last ran, here or elsewhere. */
  expectOf(states: Iterable<PluginState>): void {
    this.forget();
    for (const { id, desired, guards } of states) if (desired === 'enabled') this.#expect(id, guards);
  }

  /** What it listens to, for the time when it does not run. */
  async remember({ manifest, hooks }: Activation, known: PluginState | undefined): Promise<void> {
    const guards = [...hooks].sort();
    this.#expect(manifest.id, guards);
    if (known?.version === manifest.version && known.guards.join() === guards.join()) return;
    const { db } = this.#deps.ground;
    await db.transaction((tx) => setRunning(tx, manifest.id, { version: manifest.version, guards }));
  }

  forget(): void {
    for (const forget of this.#expected.values()) forget();
    this.#expected.clear();
  }

  #expect(id: string, hooks: readonly string[]): void {
    this.#expected.get(id)?.();
    const undo = hooks.map((hook) => this.#deps.hooks.expectListener(id, hook));
    this.#expected.set(id, () => {
      for (const forget of undo) forget();
    });
  }
}
