import type { Undo } from '../hooks/index.ts';
import { TemplateError } from '../views/index.ts';
import { placeIn } from './activation.ts';
import type { BootMarkers } from './boot-markers.ts';
import { FaultLadder } from './fault-ladder.ts';
import { nameOf } from './manifest.ts';
import type { NameFault } from './name-fault.ts';
import type { PluginRunner } from './plugin-runner.ts';
import type { Ground, Registries } from './registries.ts';

const UNCAUGHT_MS = 10 * 60_000;
const UNCAUGHT_TO_END = 3;
const LATE_MS = 60_000;

interface Deps {
  ground: Pick<Ground, 'clock'>;
  hooks: Pick<Registries['hooks'], 'charge' | 'whenRested'>;
  markers: BootMarkers | null;
  runner: PluginRunner;
  nameFault: NameFault;
  /** It keeps failing, and goes on for now. */
  onTrouble: (id: string, words: string) => void;
  /** It has failed once too often to go on here. */
  onEnough: (id: string, words: string) => void;
}

/** Whose fault it was, and whether it was one too many. */
export class PluginBlame {
  readonly #deps: Deps;
  readonly #ladder: FaultLadder;
  readonly #uncaught = new Map<string, number[]>();
  readonly #lateFrom = new Map<string, number>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#ladder = new FaultLadder(() => deps.ground.clock.now());
  }

  /** Hears from now on when a listener has failed so often that it is not asked for a while. */
  listen(): Undo {
    return this.#deps.hooks.whenRested(({ owner, hook }) => {
      this.#rested(owner, hook);
    });
  }

  /** An error that nobody caught: whether it is a plugin's, which is charged with it. */
  take(error: unknown, { endsProcess }: { endsProcess: boolean }): boolean {
    const { runner, markers, nameFault, onEnough } = this.#deps;
    const culprit = runner.culpritOf(error);
    if (!culprit) return false;
    const { id } = culprit.manifest;
    if (runner.has(id) || endsProcess || this.#isHeardAgain(id)) nameFault(id, 'uncaught', error);
    if (endsProcess) markers?.accuse(nameOf(culprit.manifest), placeIn(error, culprit.found.home));
    else if (runner.has(id) && this.#isOneTooMany(id)) onEnough(id, messageOf(error));
    return true;
  }

  /** A page could not be drawn: charged to the plugin whose template it was. */
  takeDrawing(error: unknown): void {
    const { runner, hooks, nameFault } = this.#deps;
    if (!(error instanceof TemplateError) || !runner.has(error.owner)) return;
    hooks.charge({ owner: error.owner, kind: 'route', name: 'templates', isFault: true, tookMs: 0 });
    nameFault(error.owner, 'view', error);
  }

  /** It begins with a clean slate. */
  forget(id: string): void {
    this.#uncaught.delete(id);
  }

  #rested(id: string, hook: string): void {
    const { runner, nameFault, onTrouble, onEnough } = this.#deps;
    if (!runner.has(id)) return;
    const rung = this.#ladder.rested(id);
    if (rung === 'resting') return;
    const words = `It keeps failing at ${hook}`;
    nameFault(id, hook, new Error(words));
    if (rung === 'ended') onEnough(id, words);
    else onTrouble(id, words);
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
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
