import { setTimeout as sleep } from 'node:timers/promises';
import { OFF, RUNNING, type Outcome } from './outcome.ts';
import { listNodes, replaceNode, touchNode, type PluginNode, type PluginState } from './plugin-repository.ts';
import type { Ground } from './registries.ts';

export const HEARTBEAT_MS = 60_000;
const NODE_GONE_MS = 3 * HEARTBEAT_MS;
const SERVERS_FOLLOW_MS = 4_000;
const LOOK_AGAIN_MS = 100;

interface Deps {
  ground: Pick<Ground, 'db' | 'clock'>;
  /** What this process is called among them. */
  node: string;
}

/** The servers on this database: this one says what it made of each plugin, and hears what the others say. */
export class Neighbours {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Those that have been heard of lately, this one included; a line for each plugin. */
  live(): Promise<PluginNode[]> {
    const { db, clock } = this.#deps.ground;
    return listNodes(db, { seenAfter: clock.now() - NODE_GONE_MS });
  }

  async report(made: readonly (Pick<PluginNode, 'pluginId' | 'version'> & Outcome)[]): Promise<void> {
    const { ground, node } = this.#deps;
    const now = ground.clock.now();
    const rows = made.map((one) => ({ ...one, node, changedAt: now, seenAt: now }));
    await ground.db.transaction((tx) => replaceNode(tx, node, rows));
  }

  /** Says that this server is still there; false when the others have taken it for gone, as they do when it stood still. */
  async beat(): Promise<boolean> {
    const { ground, node } = this.#deps;
    const at = ground.clock.now();
    return ground.db.transaction((tx) => touchNode(tx, node, { at, forgetBefore: at - NODE_GONE_MS }));
  }

  /** It, or what this server was called before, runs nothing any more. */
  async leave(node = this.#deps.node): Promise<void> {
    await this.#deps.ground.db.transaction((tx) => replaceNode(tx, node, []));
  }

  /** Until all of them have looked at what is wanted since then, or for as long as one can wait. */
  async waitUntilAllLooked(since: number): Promise<void> {
    const deadline = Date.now() + SERVERS_FOLLOW_MS;
    while (Date.now() < deadline) {
      if ((await this.live()).every(({ changedAt }) => changedAt >= since)) return;
      await sleep(LOOK_AGAIN_MS);
    }
  }
}

/** What the servers say of one plugin; where they differ, whoever has trouble is heard. */
export function saidOf(
  nodes: readonly PluginNode[],
  { id, desired }: Pick<PluginState, 'id' | 'desired'>,
): Outcome {
  const ofPlugin = nodes
    .filter(({ pluginId }) => pluginId === id)
    .sort((one, other) => other.changedAt - one.changedAt);
  const telling =
    ofPlugin.find(({ state }) => state !== desired) ??
    ofPlugin.find(({ error }) => error !== null) ??
    ofPlugin[0];
  return telling ?? (desired === 'enabled' ? RUNNING : OFF);
}
