import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';
import { silentLog } from './log.ts';
import { migrationsIn, type Preflight } from './plugin-host/index.ts';
import { system } from './shared/actor.ts';

/** Tries one plugin in an empty house of its own and tells the process that asked. Started by `preflightIn`. */
async function run([folder = '', id = '', added = '']: readonly string[]): Promise<Preflight> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-preflight-'));
  try {
    const pluginDir = join(dataDir, 'plugins');
    await mkdir(pluginDir);
    await symlink(folder, join(pluginDir, id));
    await bringOthers(added, pluginDir);
    const config = readConfig({ LATCHKEY_DATA_DIR: dataDir, LATCHKEY_PLUGIN_DIR: pluginDir });
    const house = await compose(config, { log: silentLog(), isPasserBy: true, isThrowaway: true });
    try {
      await house.open({ work: false });
      const before = traces();
      const { state, step, error } = await house.plugins.enable(system, id);
      if (state !== 'enabled') {
        return { problem: `${step ?? state}: ${error ?? ''}`, leftovers: [], migrations: [] };
      }
      const migrations = await migrationsIn(join(pluginDir, id), house.plugins.manifestOf(id));
      await house.plugins.disable(system, id);
      const leftovers = [...traces()].filter((trace) => !before.has(trace));
      return { problem: null, leftovers, migrations };
    } finally {
      await house.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** What it may require lies there, too. */
async function bringOthers(added: string, pluginDir: string): Promise<void> {
  for (const name of await readdir(added).catch(() => [])) {
    const isPlugin = existsSync(join(added, name, 'plugin.json'));
    if (isPlugin && !existsSync(join(pluginDir, name)))
      await symlink(join(added, name), join(pluginDir, name));
  }
}

/** What a plugin can leave behind and no scope can see. */
function traces(): Set<string> {
  const counted = (kind: string, names: readonly string[]): string[] => {
    const seen = new Map<string, number>();
    return names.map((name) => {
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return `${kind} ${name}${count > 1 ? ` (${String(count)})` : ''}`;
    });
  };
  const listeners = process
    .eventNames()
    .flatMap((name) => process.rawListeners(name).map(() => String(name)));
  return new Set([
    ...counted('global', Object.getOwnPropertyNames(globalThis)),
    ...counted('process listener', listeners),
    ...counted(
      'active',
      process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|Server|Worker/.test(name)),
    ),
  ]);
}

const tell = (report: Preflight): void => {
  process.send?.(report, () => process.exit(0));
};

run(process.argv.slice(2)).then(tell, (error: unknown) => {
  tell({ problem: error instanceof Error ? error.message : String(error), leftovers: [], migrations: [] });
});
