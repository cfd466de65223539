import type { Tx } from '../db/database.ts';
import { bumpVersion } from '../db/versions.ts';
import { system } from '../shared/actor.ts';
import type { Reached } from './crash-points.ts';
import type { PluginNews } from './plugin-news.ts';
import { moveWatch, type PluginNode, type PluginState, type Pointer } from './plugin-repository.ts';
import { updateRelease } from './release-repository.ts';
import type { Ground } from './registries.ts';
import { problemWith, type Doing } from './trial.ts';

const LOOK_MS = 1_000;
/** How long each further server is watched before it is the next one's turn. */
const STEP_MS = 15_000;
/** A server that was to try a version and is gone does not keep the others waiting for ever. */
const GRACE_MS = 60_000;
/** Nobody has come back to the version before for so long: what only that one needed may go. */
const SETTLED_MS = 7 * 24 * 3_600_000;

interface Deps {
  ground: Pick<Ground, 'db' | 'clock' | 'log' | 'audit'>;
  news: Pick<PluginNews, 'tellIn'>;
  node: string;
  /** The version row that all nodes look at. */
  versionRow: string;
  doing: (id: string) => Doing | null;
  liveNodes: () => Promise<readonly PluginNode[]>;
  converge: () => Promise<void>;
  reached: Reached;
}

/** What is thought of a version on the server that is watched; `isGone` where that server can no longer say. */
interface Verdict {
  problem: string | null;
  isGone?: boolean;
}

/**
 * A new version on its way: tried on one server, then taken by the others one after the other, each watched for a while. Where one
 * of them does badly, all go back to the version before without anybody having to ask.
 */
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

  /** Ends the watches that are to be ended: this server's own, and those of servers that are gone. */
  async look(states: readonly PluginState[]): Promise<void> {
    for (const state of states) {
      const verdict = await this.#verdictOn(state);
      if (verdict !== null) await this.#judge(state, verdict);
    }
  }

  /** This server was called otherwise before it was started again: what it had of new versions it has still, and its watch begins anew. */
  async resume(
    states: readonly PluginState[],
    { before, crash }: { before: string; crash: { plugin: string; why: string } | null },
  ): Promise<void> {
    const { node, ground } = this.#deps;
    for (const state of states) {
      const { id, chosen, watchedOn, rolledTo } = state;
      if (watchedOn === null || (watchedOn !== before && rolledTo?.includes(before) !== true)) continue;
      if (crash?.plugin === `${id}@${chosen ?? ''}`) {
        await this.#goBack(state, crash.why);
        continue;
      }
      const renamed = { rolledTo: rolledTo?.map((one) => (one === before ? node : one)) ?? null };
      const watch = { watchedOn: node, watchedUntil: ground.clock.now() + STEP_MS };
      await ground.db.transaction((tx) =>
        moveWatch(tx, state, watchedOn === before ? { ...renamed, ...watch } : renamed),
      );
    }
  }

  /** The version before is kept for a week; then nobody goes back to it any more. */
  isSettled({ previous, rolledOutAt, watchedOn }: PluginState): boolean {
    const now = this.#deps.ground.clock.now();
    return previous !== null && watchedOn === null && rolledOutAt !== null && rolledOutAt + SETTLED_MS < now;
  }

  /** Null while it is too early to say. */
  async #verdictOn({ id, desired, chosen, watchedOn, ...state }: PluginState): Promise<Verdict | null> {
    if (watchedOn === null || desired === 'disabled') return null;
    const now = this.#deps.ground.clock.now();
    const until = state.watchedUntil ?? now;
    if (watchedOn !== this.#deps.node) {
      if (now < until + GRACE_MS || (await this.#liveNames()).includes(watchedOn)) return null;
      // The first one was to say whether it is any good, and nobody knows; of a later one that is less likely the reason.
      return { problem: state.rolledTo === null ? goneBefore(watchedOn) : null, isGone: true };
    }
    const doing = this.#deps.doing(id);
    const problem = doing?.version === chosen ? problemWith(doing) : (doing?.problem ?? 'It does not run');
    return problem !== null || now >= until ? { problem } : null;
  }

  async #judge(state: PluginState, { problem, isGone = false }: Verdict): Promise<void> {
    if (problem !== null) {
      await this.#goBack(state, problem);
      return;
    }
    const rolledTo = [...(state.rolledTo ?? []), ...(isGone ? [] : [state.watchedOn ?? ''])];
    const next = (await this.#liveNames()).find(
      (node) => node !== state.watchedOn && !rolledTo.includes(node),
    );
    if (next === undefined) await this.#finish(state);
    else await this.#goOn(state, { rolledTo, next });
  }

  async #goOn(state: PluginState, { rolledTo, next }: { rolledTo: string[]; next: string }): Promise<void> {
    const { ground, converge } = this.#deps;
    const watch = { rolledTo, watchedOn: next, watchedUntil: ground.clock.now() + STEP_MS };
    if (!(await this.#move(state, watch))) return;
    ground.log.info(
      { plugin: state.id, version: state.chosen, node: next },
      'The next server takes a new version',
    );
    await converge();
  }

  async #finish(state: PluginState): Promise<void> {
    const { ground, converge } = this.#deps;
    const { id, chosen } = state;
    const done = { rolledOutAt: ground.clock.now() };
    if (
      !(await this.#move(state, { ...NO_WATCH, ...done }, (tx) =>
        this.#record(tx, 'plugin.rolled-out', state),
      ))
    )
      return;
    ground.log.info(
      { plugin: id, version: chosen },
      'A new version of a plugin did well and is for everybody now',
    );
    await converge();
  }

  async #goBack(state: PluginState, problem: string): Promise<void> {
    const { ground, news, converge } = this.#deps;
    const { id, chosen, previous } = state;
    const version = chosen ?? '';
    const pointer = { ...NO_WATCH, chosen: previous, previous: null, rolledOutAt: ground.clock.now() };
    const isDone = await this.#move(state, pointer, async (tx) => {
      await updateRelease(tx, { pluginId: id, version }, { wentWrong: problem });
      await this.#record(tx, 'plugin.returned', state);
      await news.tellIn(tx, { what: 'returned', id, version, problem, node: state.watchedOn, previous });
    });
    if (!isDone) return;
    const facts = { plugin: id, version, problem };
    ground.log.error(facts, 'A new version of a plugin did badly; the one before is in use again');
    await converge();
  }

  /** False when somebody else was quicker. */
  async #move(
    state: PluginState,
    pointer: Partial<Pointer>,
    alongside: (tx: Tx) => Promise<void> = () => Promise.resolve(),
  ): Promise<boolean> {
    const { ground, versionRow, reached } = this.#deps;
    reached('judged');
    const isMoved = await ground.db.transaction(async (tx) => {
      if (!(await moveWatch(tx, state, pointer))) return false;
      await alongside(tx);
      await bumpVersion(tx, versionRow);
      return true;
    });
    reached('moved');
    return isMoved;
  }

  #record(tx: Tx, action: string, { id, chosen }: PluginState): Promise<void> {
    const subject = { type: 'plugin', id, label: `${id} ${chosen ?? ''}` };
    return this.#deps.ground.audit.record(tx, system, { action, subject });
  }

  async #liveNames(): Promise<string[]> {
    return [...new Set((await this.#deps.liveNodes()).map(({ node }) => node))].sort();
  }
}

const NO_WATCH = { watchedOn: null, watchedUntil: null, rolledTo: null };

const goneBefore = (node: string): string => `The server ${node} that tried it is gone`;
