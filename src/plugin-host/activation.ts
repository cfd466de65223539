import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadMigrations } from '../db/migration-files.ts';
import { migrate, type Migration } from '../db/migrations.ts';
import { assertFree } from './claims.ts';
import { contribute } from './contributions.ts';
import type { Reached } from './crash-points.ts';
import type { FoundPlugin } from './discovery.ts';
import type { Plugin } from './host.ts';
import { inTime } from './in-time.ts';
import { makeHost } from './make-host.ts';
import type { Manifest } from './manifest.ts';
import { loadAfreshNextTime, loadPlugin } from './plugin-loader.ts';
import { assertOwnTables } from './own-tables.ts';
import type { Step } from './plugin-repository.ts';
import type { Ground, Registries, Services } from './registries.ts';
import type { Pace } from './trial.ts';
import { Scope } from './scope.ts';

/** A plugin that runs here. */
export interface Activation {
  found: FoundPlugin;
  manifest: Manifest;
  scope: Scope;
  /** Hooks it listens to. */
  hooks: ReadonlySet<string>;
  /** Templates of ours that it would draw, had ours not changed since. */
  drifted: readonly string[];
  /** What was on its account when this version began, and how quick the one before was. */
  before?: { calls: number; faults: number; pace: Pace; paceOfOther: Pace };
}

/** How far a plugin came, and what stopped it. */
export class ActivationError extends Error {
  readonly step: Step;

  constructor(step: Step, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'ActivationError';
    this.step = step;
  }
}

export interface ActivationDeps {
  ground: Ground;
  registries: Registries;
  services: Services;
  running: () => readonly Manifest[];
  setupMs: number;
  blame: (plugin: string, where: string, error: unknown) => void;
  reached: Reached;
}

/** Sets one plugin up; the house gets nothing of it before `takePlace`. Whatever it had begun is undone when any step fails. */
export async function activate(
  found: FoundPlugin & { manifest: Manifest },
  deps: ActivationDeps,
): Promise<Activation> {
  const { manifest } = found;
  const { ground, registries, services, setupMs, reached } = deps;
  const blame = (where: string, error: unknown): void => {
    deps.blame(manifest.id, where, error);
  };
  const scope = new Scope(manifest.id, (error) => {
    blame('dispose', error);
  });
  const hooks = new Set<string>();
  const step = <T>(name: Step, work: () => Promise<T>): Promise<T> =>
    labelled(name, () => inTime(work, setupMs));

  try {
    const drifted = await step('contribute', async () => {
      assertFree(manifest, {
        running: deps.running().filter(({ id }) => id !== manifest.id),
        corePaths: registries.routes
          .all()
          .filter(({ owner }) => owner === 'core')
          .map(({ route }) => route.path),
      });
      return contribute(found, manifest, { registries, scope });
    });
    const plugin: Plugin = await step('import', () => loadPlugin(found.folder, manifest.main));
    reached('imported');
    // Another node may be at it already; waiting for its lease has its own deadline.
    await labelled('migrate', () => migratePlugin(found, manifest, ground));
    reached('migrated');
    const keys = await ground.keys.ring(`plugin:${manifest.id}`);
    const heard = (hook: string): void => void hooks.add(hook);
    const host = makeHost({ manifest, scope, keys, ground, registries, services, blame, heard });
    await step('setup', async () => {
      await plugin.setup(host);
    });
    reached('set-up');
    return { found, manifest, scope, hooks, drifted };
  } catch (error) {
    await scope.dispose({ drainMs: 0 });
    loadAfreshNextTime(found.folder, manifest.main);
    throw error;
  }
}

/**
 * Gives the house all that a plugin brings; the version of it that runs so far gives way in the same moment, and takes its place
 * again should it not go.
 */
export function takePlace(next: Activation, before: Activation | undefined): void {
  before?.scope.withdraw();
  try {
    next.scope.publish();
  } catch (error) {
    before?.scope.publish();
    const at: Step = 'contribute';
    throw new ActivationError(at, error);
  }
}

async function migratePlugin(found: FoundPlugin, manifest: Manifest, { db }: Ground): Promise<void> {
  const all = await ownMigrations(found, manifest);
  await migrate(
    db,
    manifest.id,
    all.filter(({ phase }) => phase !== 'contract'),
  );
}

/** The steps of its schema, none of which touches a table of anybody else. */
export async function ownMigrations({ folder }: FoundPlugin, manifest: Manifest): Promise<Migration[]> {
  const place = join(folder, manifest.migrations);
  if (!existsSync(place)) return [];
  const migrations = await loadMigrations(place);
  assertOwnTables(manifest, migrations);
  return migrations;
}

/** Its migrations as names and SQL, for whoever only wants to know. */
export async function migrationsIn(
  folder: string,
  manifest: Manifest | null,
): Promise<{ name: string; isLater: boolean; statements: string[] }[]> {
  const place = join(folder, manifest?.migrations ?? 'migrations');
  const migrations = existsSync(place) ? await loadMigrations(place) : [];
  return migrations.map(({ name, up, phase }) => ({
    name,
    isLater: phase === 'contract',
    statements: up.map((step) => (typeof step === 'string' ? step : Object.values(step).join(';\n'))),
  }));
}

async function labelled<T>(step: Step, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ActivationError(step, error);
  }
}

/** Whose code stands in the trace of an error. */
export const culpritOf = <T extends Pick<Activation, 'found'>>(
  error: unknown,
  running: readonly T[],
): T | undefined => {
  const trace = error instanceof Error ? (error.stack ?? '') : '';
  return running.find(
    ({ found: { home } }) => trace.includes(`${home}/`) || trace.includes(pathToFileURL(`${home}/`).href),
  );
};

/** The line of its own at which an error was thrown: `index.ts:12`. */
export function placeIn(error: unknown, folder: string): string {
  const trace = error instanceof Error ? (error.stack ?? '') : '';
  const line = trace.split('\n').find((one) => one.includes(`${folder}/`)) ?? '';
  return line.slice(line.indexOf(`${folder}/`) + folder.length + 1).replace(/:\d+\)?$/, '');
}
