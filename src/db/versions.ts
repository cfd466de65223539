import type { Database, Queryable, Tx } from './database.ts';
import { findRow } from './statements.ts';
import { defineTable, text, whole } from './table.ts';

const versions = defineTable('state_version', { name: text, version: whole });

type Listener = (version: number) => void | Promise<void>;

const POLL_MS = 1_000;

/** Says that what is called `name` (settings, plugins, keys) is not what it was, to every process that watches. */
export async function bumpVersion(tx: Tx, name: string): Promise<void> {
  await tx
    .knex(versions.name)
    .insert({ name, version: 1 })
    .onConflict('name')
    .merge({ version: tx.knex.raw('state_version.version + 1') });
}

export async function readVersion(db: Queryable, name: string): Promise<number> {
  const row = await findRow(db, versions.name, versions.columns, { name });
  return row ? versions.decode(row).version : 0;
}

interface Deps {
  db: Database;
  /** Told when looking failed or a listener did; watching goes on. */
  onError: (error: unknown) => void;
}

/** How one process hears within a second or two of what another has changed: by looking at one small table. */
export class Versions {
  readonly #deps: Deps;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #seen = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Runs `listener` when the version of `name` has moved; not for the version it has now. */
  watch(name: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Takes the versions as they are now, then looks every second until `stop`. */
  async start({ everyMs = POLL_MS } = {}): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), everyMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks now, and tells who must know. Never throws. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const rows = await this.#deps.db.knex(versions.name);
      for (const { name, version } of rows.map(versions.decode)) await this.#notice(name, version);
    } catch (error) {
      this.#deps.onError(error);
    }
  }

  async #notice(name: string, version: number): Promise<void> {
    const before = this.#seen.get(name);
    this.#seen.set(name, version);
    if (before === version || (before === undefined && this.#timer === undefined)) return;
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        await listener(version);
      } catch (error) {
        this.#deps.onError(error);
      }
    }
  }
}
