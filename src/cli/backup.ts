import { appendFile, cp, mkdir, mkdtemp } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Database, Tx } from '../db/database.ts';
import { dumpTables, loadTables, tableNames } from '../db/dump.ts';
import { ConflictError, InvalidInputError } from '../shared/errors.ts';
import {
  digestOf,
  discard,
  filesBelow,
  readArchive,
  sizeOf,
  writeArchive,
  type BackupManifest,
} from './archive.ts';

interface Deps {
  db: Database;
  /** Where attachments lie. */
  filesFolder: string;
  version: string;
  readonly hasPeople: () => Promise<boolean>;
  /** Tables of plugins from which nothing is ever taken. */
  readonly appendOnly: () => readonly string[];
  /** Makes these tables as far as plugins here, or packages in the archive, say how; whose the others are. */
  readonly makeTables: (
    tables: readonly string[],
    rowsOf: (table: string) => AsyncIterable<readonly string[]>,
  ) => Promise<ReadonlyMap<string, string>>;
}

const TABLES = 'tables';
const FILES = 'files';
/** What happened in this house stays written, whatever is put back. */
const AUDIT_TABLE = 'audit_entries';
const LINES_AT_A_TIME = 500;

/**
 * One archive with everything but the master key: all rows as they were at one moment, and the attachments.
 * It holds rows, not a database file, so a backup of SQLite restores into MariaDB and the other way round.
 */
export async function createBackup(
  { db, filesFolder, version }: Deps,
  target: string,
): Promise<BackupManifest> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-backup-'));
  try {
    const rows = new Map<string, number>();
    await mkdir(join(folder, TABLES));
    await dumpTables(db, async (table, lines) => {
      rows.set(table, (rows.get(table) ?? 0) + lines.length);
      await appendFile(join(folder, TABLES, `${table}.ndjson`), lines.map((line) => `${line}\n`).join(''));
    });
    await cp(filesFolder, join(folder, FILES), { recursive: true }).catch(ignoreMissing);
    const files = await Promise.all((await filesBelow(folder)).map((path) => describe(folder, path, rows)));
    const manifest: BackupManifest = {
      format: 1,
      version,
      createdAt: new Date().toISOString(),
      engine: db.dialect.name,
      files,
    };
    await writeArchive(folder, manifest, target);
    return manifest;
  } finally {
    await discard(folder);
  }
}

async function describe(
  folder: string,
  path: string,
  rows: ReadonlyMap<string, number>,
): Promise<BackupManifest['files'][number]> {
  const whole = join(folder, path);
  const count = rows.get(tableIn(path) ?? '');
  return {
    path,
    size: await sizeOf(whole),
    sha256: await digestOf(whole),
    ...(count === undefined ? {} : { rows: count }),
  };
}

interface RestoreOptions {
  /** Replaces what is there. */
  force: boolean;
  /** Leaves out what belongs to plugins that are not here. */
  skipUnknown: boolean;
  /** Runs in the same transaction, after the rows are in. */
  readonly afterwards: (tx: Tx) => Promise<void>;
}

/** Puts a backup in place of what is there: all of it, or nothing. The schema must be up to date before. */
export async function restoreBackup(
  { db, filesFolder, version, hasPeople, appendOnly, makeTables }: Deps,
  source: string,
  { force, skipUnknown, afterwards }: RestoreOptions,
): Promise<BackupManifest> {
  if (!force && (await hasPeople())) throw new ConflictError('backup.not-empty');
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-restore-'));
  try {
    const manifest = await readArchive(source, folder);
    if (isNewer(manifest.version, version)) {
      throw new InvalidInputError('backup.newer', { params: { version: manifest.version } });
    }
    const known = new Set(manifest.files.map(({ path }) => path));
    const read = (table: string): AsyncIterable<string[]> =>
      linesOf(folder, `${TABLES}/${table}.ndjson`, known);
    const missing = await homelessTables(db, manifest);
    if (missing.length > 0) {
      const owners = await makeTables(missing, read);
      if (!skipUnknown) await assertTablesExist(db, manifest, owners);
    }
    // Files first: they lie under names of their own and disturb nobody, should the rows not get in.
    await cp(join(folder, FILES), filesFolder, { recursive: true }).catch(ignoreMissing);
    await loadTables(db, {
      read,
      appendOnly: [AUDIT_TABLE, ...appendOnly()],
      afterwards,
    });
    return manifest;
  } finally {
    await discard(folder);
  }
}

async function homelessTables(db: Database, { files }: BackupManifest): Promise<string[]> {
  const here = new Set(await tableNames(db));
  return files
    .filter(({ rows = 0 }) => rows > 0)
    .flatMap(({ path }) => tableIn(path) ?? [])
    .filter((table) => !here.has(table));
}

/** Rows without a table would be lost without a word. */
async function assertTablesExist(
  db: Database,
  manifest: BackupManifest,
  owners: ReadonlyMap<string, string>,
): Promise<void> {
  const homeless = await homelessTables(db, manifest);
  if (homeless.length === 0) return;
  const named = homeless.map((table) => {
    const owner = owners.get(table);
    return owner === undefined ? table : `${table} (${owner})`;
  });
  throw new InvalidInputError('backup.unknown-tables', { params: { tables: named.join(', ') } });
}

const tableIn = (path: string): string | undefined => /^tables\/(.+)\.ndjson$/.exec(path)?.[1];

async function* linesOf(folder: string, path: string, known: ReadonlySet<string>): AsyncIterable<string[]> {
  if (!known.has(path)) return;
  let batch: string[] = [];
  for await (const line of createInterface({ input: createReadStream(join(folder, path)) })) {
    if (line === '') continue;
    batch.push(line);
    if (batch.length === LINES_AT_A_TIME) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

function isNewer(theirs: string, ours: string): boolean {
  const [a = 0, b = 0, c = 0] = theirs.split('.').map(Number);
  const [x = 0, y = 0, z = 0] = ours.split('.').map(Number);
  return a !== x ? a > x : b !== y ? b > y : c > z;
}

const ignoreMissing = (error: unknown): void => {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  if (!isMissing) throw error;
};
