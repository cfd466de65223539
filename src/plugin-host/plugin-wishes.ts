import { bumpVersion } from '../db/versions.ts';
import { skipDeliveries } from '../jobs/index.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError } from '../shared/errors.ts';
import type { FoundPlugin } from './discovery.ts';
import {
  insertState,
  listStates,
  newcomer,
  setChosen,
  setDesired,
  setDisabledWith,
  type PluginState,
} from './plugin-repository.ts';
import type { Ground } from './registries.ts';

/** The version row that moves when something else is wanted of a plugin. */
export const PLUGINS_VERSION = 'plugins';

/** What is wanted of each plugin, everywhere: written down with who wanted it, for every server to follow. */
export class PluginWishes {
  readonly #ground: Pick<Ground, 'db' | 'clock' | 'audit'>;

  constructor(ground: Pick<Ground, 'db' | 'clock' | 'audit'>) {
    this.#ground = ground;
  }

  all(): Promise<PluginState[]> {
    return listStates(this.#ground.db);
  }

  async of(id: string): Promise<PluginState | undefined> {
    return (await this.all()).find((state) => state.id === id);
  }

  /** Those that were disabled because this one was. */
  async disabledWith(provider: string): Promise<string[]> {
    return (await this.all()).filter(({ disabledWith }) => disabledWith === provider).map(({ id }) => id);
  }

  /** The first of `ids` is the one that was asked for. Says when it was written. */
  async want(
    actor: Actor,
    ids: readonly string[],
    desired: PluginState['desired'],
    { dependents = [] }: { dependents?: readonly string[] } = {},
  ): Promise<number> {
    const { db, clock, audit } = this.#ground;
    const at = clock.now();
    await db.transaction(async (tx) => {
      await setDesired(tx, ids, { desired, at, by: actor.name });
      await setDisabledWith(tx, ids, null);
      await setDisabledWith(tx, dependents, ids[0] ?? null);
      for (const id of ids) {
        // What it has not heard yet it would hear out of season, should it ever come back.
        if (desired === 'disabled') await skipDeliveries(tx, id);
        await audit.record(tx, actor, { action: `plugin.${desired}`, subject: subjectOf(id) });
      }
      await bumpVersion(tx, PLUGINS_VERSION);
    });
    return at;
  }

  /**
   * Nobody goes back to the version before any more.
   *
   * @throws {ConflictError} `plugin.still-watched` while the new version is on trial
   */
  async settle(actor: Actor, id: string): Promise<void> {
    const { db, audit } = this.#ground;
    const state = await this.of(id);
    if (state?.watchedOn) throw new ConflictError('plugin.still-watched', { params: { plugin: id } });
    const { chosen, rolledOutAt } = state ?? { chosen: null, rolledOutAt: null };
    await db.transaction(async (tx) => {
      await setChosen(tx, id, { chosen, previous: null, rolledOutAt });
      await audit.record(tx, actor, { action: 'plugin.settled', subject: subjectOf(id) });
      await bumpVersion(tx, PLUGINS_VERSION);
    });
  }

  async recordPurged(actor: Actor, id: string): Promise<void> {
    const { db, audit } = this.#ground;
    await db.transaction((tx) =>
      audit.record(tx, actor, { action: 'plugin.purged', subject: subjectOf(id) }),
    );
  }

  /** A row for each plugin that nobody has seen before. */
  async introduce(found: readonly FoundPlugin[]): Promise<void> {
    const { db, clock } = this.#ground;
    const known = new Set((await this.all()).map(({ id }) => id));
    const newcomers = found.filter(({ id }) => !known.has(id));
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
}

const subjectOf = (id: string): { type: string; id: string; label: string } => ({
  type: 'plugin',
  id,
  label: id,
});
