import { lineToRow } from '../db/dump.ts';
import type { Database } from '../db/database.ts';
import { migrate } from '../db/migrations.ts';
import { ownMigrations } from './activation.ts';
import { findAt, type FoundPlugin } from './discovery.ts';
import { prefixOf } from './own-tables.ts';
import { decodeState, type PluginState } from './plugin-repository.ts';
import { sha256Of, unpackedAside } from './release-folders.ts';
import { decodePart, decodeRelease, type Release } from './release-repository.ts';

/** The rows of a table that a backup holds, as lines. */
export type ArchivedRows = (table: string) => AsyncIterable<readonly string[]>;

interface Deps {
  db: Database;
  /** Plugins that lie on this machine. */
  found: readonly FoundPlugin[];
  added: string;
}

/**
 * Makes the tables of plugins whose rows a backup holds: from the plugin where it lies here, else from its package in the backup.
 * Answers, in the order of `tables`, whose each is that could not be made: `loan-desk 0.1.1`.
 */
export async function makeArchivedTables(
  tables: readonly string[],
  rowsOf: ArchivedRows,
  { db, found, added }: Deps,
): Promise<Map<string, string>> {
  const states = await all(rowsOf('plugin_state'), decodeState);
  const releases = await all(rowsOf('plugin_release'), decodeRelease);
  const owners = new Map<string, string>();
  for (const state of states) {
    const release = releases.find(
      ({ pluginId, version }) => pluginId === state.id && version === state.chosen,
    );
    const here = found.find(({ id }) => id === state.id);
    const prefix = prefixOf(release?.manifest ?? here?.manifest ?? { id: state.id });
    const own = tables.filter((table) => table.startsWith(prefix) && !owners.has(table));
    if (own.length === 0) continue;
    const isMade = await makeTables(state, { db, added, here, release, rowsOf });
    if (!isMade) for (const table of own) owners.set(table, `${state.id} ${state.version}`.trim());
  }
  return owners;
}

interface Sources {
  db: Database;
  added: string;
  here: FoundPlugin | undefined;
  release: Release | undefined;
  rowsOf: ArchivedRows;
}

async function makeTables(
  state: PluginState,
  { db, added, here, release, rowsOf }: Sources,
): Promise<boolean> {
  if (release) {
    const packed = await packedIn(rowsOf, release);
    if (sha256Of(packed) === release.sha256)
      return unpackedAside(added, packed, async (folder) =>
        migrateAs(db, await findAt(folder, state.id), state),
      );
  }
  return migrateAs(db, here, state);
}

async function migrateAs(
  db: Database,
  found: FoundPlugin | null | undefined,
  { id, previous }: PluginState,
): Promise<boolean> {
  if (!found?.manifest) return false;
  const migrations = await ownMigrations(found, found.manifest);
  // What only the version before needed is there as long as somebody may go back to it.
  await migrate(
    db,
    id,
    migrations.filter(({ phase }) => previous === null || phase !== 'contract'),
  );
  return true;
}

async function packedIn(rowsOf: ArchivedRows, { pluginId, version }: Release): Promise<Buffer> {
  const parts = await all(rowsOf('plugin_release_part'), decodePart);
  return Buffer.concat(
    parts
      .filter((part) => part.pluginId === pluginId && part.version === version)
      .sort((one, other) => one.part - other.part)
      .map(({ content }) => content),
  );
}

async function all<T>(
  lines: AsyncIterable<readonly string[]>,
  decode: (row: Record<string, unknown>) => T,
): Promise<T[]> {
  const rows: T[] = [];
  for await (const some of lines) rows.push(...some.map((line) => decode(lineToRow(line))));
  return rows;
}
