import { z } from 'zod';
import { defineSetting, type SettingsService } from '../settings/index.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError } from '../shared/errors.ts';
import { beginBisect, culpritIn, narrowed, shouldRun, type Bisect } from './bisect.ts';
import type { PluginHost } from './plugin-host.ts';
import type { Ground } from './registries.ts';

const ids = z.array(z.string());
const underWay = defineSetting({
  id: 'plugins.bisect',
  schema: z.object({ all: ids, suspects: ids, trying: ids }).nullable(),
  default: null,
});

export const bisectSteps = ['start', 'good', 'bad', 'stop'] as const;
export type BisectStep = (typeof bisectSteps)[number];

interface Shown {
  /** Found: everybody else runs again, and this one is disabled. */
  culprit: string | null;
  suspects: string[];
  running: string[];
}

interface Deps {
  ground: Pick<Ground, 'db'> & { settings: SettingsService };
  plugins: PluginHost;
}

/** Finds the plugin behind a trouble by halves: for thirty plugins five answers. What it has done so far survives the process. */
export class PluginBisect {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async take(actor: Actor, step: BisectStep): Promise<Shown> {
    const now = await this.#deps.ground.settings.get(underWay);
    if (step === 'start') return this.#go(actor, beginBisect(await this.#enabled()));
    if (now === null) throw new ConflictError('plugin.no-bisect');
    if (step === 'stop') return this.#end(actor, now, null);
    return this.#go(actor, narrowed(now, { isBad: step === 'bad' }));
  }

  async #go(actor: Actor, next: Bisect): Promise<Shown> {
    const culprit = culpritIn(next);
    if (culprit !== null || next.suspects.length === 0) return this.#end(actor, next, culprit);
    await this.#remember(actor, next);
    return this.#arrange(actor, next.all, (id) => shouldRun(next, id), { culprit, suspects: next.suspects });
  }

  async #end(actor: Actor, { all }: Bisect, culprit: string | null): Promise<Shown> {
    const shown = await this.#arrange(actor, all, (id) => id !== culprit, { culprit, suspects: [] });
    await this.#remember(actor, null);
    return shown;
  }

  async #arrange(
    actor: Actor,
    all: readonly string[],
    runs: (id: string) => boolean,
    found: Pick<Shown, 'culprit' | 'suspects'>,
  ): Promise<Shown> {
    const { plugins } = this.#deps;
    const enabled = await this.#enabled();
    for (const id of all) if (!runs(id) && enabled.includes(id)) await plugins.disable(actor, id);
    for (const id of all)
      if (runs(id) && !(await this.#enabled()).includes(id)) await plugins.enable(actor, id);
    return { ...found, running: await this.#enabled() };
  }

  async #enabled(): Promise<string[]> {
    const all = await this.#deps.plugins.list('en');
    return all.filter(({ desired }) => desired === 'enabled').map(({ id }) => id);
  }

  #remember(actor: Actor, next: Bisect | null): Promise<unknown> {
    const { db, settings } = this.#deps.ground;
    return db.transaction((tx) => settings.set(tx, actor, underWay, next));
  }
}
