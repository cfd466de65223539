import { bumpVersion } from '../db/versions.ts';
import { system } from '../shared/actor.ts';
import { endWatch, type PluginNode, type PluginState } from './plugin-repository.ts';
import { updateRelease } from './release-repository.ts';
import type { Ground } from './registries.ts';

const LOOK_MS = 1_000;
/** A node that was to try a version and is gone does not keep the others waiting for ever. */
const GRACE_MS = 60_000;
/** Nobody has come back to the version before for so long: what only that one needed may go. */
const SETTLED_MS = 7 * 24 * 3_600_000;
const FAULTS_TO_RETURN = 3;
/** Of all calls. */
const FAULTY_SHARE = 0.05;

/** How a plugin has done here since this version of it began. */
export interface Doing {
  version: string;
  calls: number;
  faults: number;
  /** Why it does not run as it should. */
  problem: string | null;
}

interface Deps {
  ground: Pick<Ground, 'db' | 'clock' | 'log' | 'audit'>;
  node: string;
  /** The version row that all nodes look at. */
  versionRow: string;
  doing: (id: string) => Doing | null;
  liveNodes: () => Promise<readonly PluginNode[]>;
  converge: () => Promise<void>;
}

/** A new version on trial: watched on one node, then everybody's, or taken back without anybody having to ask. */
export class Canary {
  readonly #deps: Deps;
  #timer: NodeJS.Timeout | null = null;
  #mine: readonly PluginState[] = [];

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** After each look at what is wanted: whether there is something to watch here. */
  follow(states: Iterable<PluginState>): void {
    this.#mine = [...states].filter(({ watchedOn }) => watchedOn === this.#deps.node);
    if (this.#mine.length === 0) this.stop();
    else this.#timer ??= setInterval(() => void this.#lookHere(), LOOK_MS).unref();
  }

  async #lookHere(): Promise<void> {
    await this.look(this.#mine).catch((error: unknown) => {
      this.#deps.ground.log.warn({ err: error }, 'A new version of a plugin could not be judged');
    });
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Ends the trials that are to be ended: this node's own, and those of nodes that are gone. */
  async look(states: readonly PluginState[]): Promise<void> {
    for (const state of states) {
      const verdict = await this.#verdictOn(state);
      if (verdict !== null) await this.#end(state, verdict.problem);
    }
  }

  /** The version before is kept for a week; then nobody goes back to it any more. */
  isSettled({ previous, rolledOutAt, watchedOn }: PluginState): boolean {
    const now = this.#deps.ground.clock.now();
    return previous !== null && watchedOn === null && rolledOutAt !== null && rolledOutAt + SETTLED_MS < now;
  }

  /** Null while it is too early to say. */
  async #verdictOn({
    id,
    chosen,
    watchedOn,
    watchedUntil,
  }: PluginState): Promise<{ problem: string | null } | null> {
    if (watchedOn === null) return null;
    const now = this.#deps.ground.clock.now();
    const until = watchedUntil ?? now;
    if (watchedOn !== this.#deps.node) {
      if (now < until + GRACE_MS) return null;
      const isThere = (await this.#deps.liveNodes()).some(({ node }) => node === watchedOn);
      return isThere ? null : { problem: `The server ${watchedOn} that tried it is gone` };
    }
    const doing = this.#deps.doing(id);
    const problem = doing?.version === chosen ? problemWith(doing) : (doing?.problem ?? 'It does not run');
    return problem !== null || now >= until ? { problem } : null;
  }

  async #end(state: PluginState, problem: string | null): Promise<void> {
    const { ground, versionRow, converge } = this.#deps;
    const { id, chosen, previous } = state;
    const facts = { plugin: id, version: chosen, problem };
    const isEnded = await ground.db.transaction(async (tx) => {
      const pointer =
        problem === null
          ? { chosen, previous, rolledOutAt: ground.clock.now() }
          : { chosen: previous, previous: null, rolledOutAt: ground.clock.now() };
      if (!(await endWatch(tx, state, pointer))) return false;
      if (problem !== null)
        await updateRelease(tx, { pluginId: id, version: chosen ?? '' }, { wentWrong: problem });
      await ground.audit.record(tx, system, {
        action: problem === null ? 'plugin.rolled-out' : 'plugin.returned',
        subject: { type: 'plugin', id, label: `${id} ${chosen ?? ''}` },
      });
      await bumpVersion(tx, versionRow);
      return true;
    });
    if (!isEnded) return;
    if (problem === null)
      ground.log.info(facts, 'A new version of a plugin did well and is for everybody now');
    else ground.log.error(facts, 'A new version of a plugin did badly; the one before is in use again');
    await converge();
  }
}

/** One fault may be anybody's; a pattern is its own. */
function problemWith({ calls, faults, problem }: Doing): string | null {
  if (problem !== null) return problem;
  const isBad = faults >= FAULTS_TO_RETURN && faults > calls * FAULTY_SHARE;
  return isBad ? `It failed ${String(faults)} of ${String(calls)} times` : null;
}
