import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bumpVersion } from '../db/versions.ts';
import type { Actor } from '../shared/actor.ts';
import { SETTINGS_VERSION } from '../settings/index.ts';
import { ConflictError, ForbiddenError } from '../shared/errors.ts';
import type { Reached } from './crash-points.ts';
import { prefixOf } from './own-tables.ts';
import type { PluginFacts } from './plugin-facts.ts';
import type { PluginHost } from './plugin-host.ts';
import { setChosen } from './plugin-repository.ts';
import { exportedRows } from './exported-data.ts';
import { PLUGINS_VERSION } from './plugin-wishes.ts';
import { addExported, deleteBelongings, linesOf, readReceipt, type Receipt } from './receipt-repository.ts';
import type { Ground } from './registries.ts';
import { deleteReleases } from './release-repository.ts';

/** What becomes of what it has stored: it waits for the plugin to come back, goes into a file first, or is deleted. */
export const dataChoices = ['keep', 'export', 'purge'] as const;
export type DataChoice = (typeof dataChoices)[number];

export interface UninstallReceipt extends Receipt {
  id: string;
  version: string;
  rights: string[];
  /** Its versions that are kept. */
  versions: string[];
  /** Where its data went, if it was exported. */
  exportedTo: string | null;
}

interface Deps {
  ground: Pick<Ground, 'db' | 'clock' | 'audit' | 'settings'>;
  plugins: PluginHost;
  added: string;
  /** Where exported data goes. */
  exports: string;
  reached?: Reached;
}

/** Takes plugins out, and says beforehand and afterwards what was theirs. Each step may be repeated, should it be cut short. */
export class PluginUninstaller {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async receipt(actor: Actor, id: string): Promise<UninstallReceipt> {
    if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
    const { plugins, ground } = this.#deps;
    const facts = await plugins.find(id, actor.locale);
    const { manifest, version, releases } = facts;
    return {
      id,
      version,
      ...(await readReceipt(ground.db, id, prefixOf({ id, tablePrefix: manifest?.tablePrefix }))),
      rights: manifest?.rights.map((right) => right.id) ?? [],
      versions: releases.map((release) => release.version),
      exportedTo: null,
    };
  }

  /** @throws {ConflictError} `plugin.is-bundled`: what comes with Latchkey can be disabled and purged, and stays */
  async uninstall(actor: Actor, id: string, data: DataChoice): Promise<UninstallReceipt> {
    const { plugins } = this.#deps;
    const receipt = await this.receipt(actor, id);
    const facts = await plugins.find(id, actor.locale);
    if (facts.isBundled) throw new ConflictError('plugin.is-bundled', { params: { plugin: id } });
    await plugins.disable(actor, id);
    const exportedTo = data === 'export' ? await this.#export(receipt) : null;
    this.#deps.reached?.('exported');
    if (data !== 'keep') await this.#purge(actor, facts, receipt);
    this.#deps.reached?.('purged');
    await this.#remove(actor, receipt);
    return { ...receipt, exportedTo };
  }

  /**
   * Puts back what an uninstallation has written into a file: the plugin is there again, and has no data yet.
   * @throws {ConflictError} `plugin.has-data`
   */
  async takeBack(actor: Actor, id: string, file: string): Promise<{ id: string; rows: number }> {
    const { ground } = this.#deps;
    const { tables } = await this.receipt(actor, id);
    const full = tables.find(({ rows }) => rows > 0);
    if (full) throw new ConflictError('plugin.has-data', { params: { plugin: id, table: full.name } });
    const rows = await ground.db.transaction(
      async (tx) => {
        const added = await addExported(tx, exportedRows(file), { id, tables });
        await bumpVersion(tx, SETTINGS_VERSION);
        await ground.audit.record(tx, actor, {
          action: 'plugin.data-taken-back',
          subject: { type: 'plugin', id, label: id },
        });
        return added;
      },
      { attempts: 1, withinMs: 0 },
    );
    ground.settings.forget();
    return { id, rows };
  }

  async #export(receipt: UninstallReceipt): Promise<string> {
    const { id, version } = receipt;
    const { exports, ground } = this.#deps;
    await mkdir(exports, { recursive: true, mode: 0o700 });
    const file = join(exports, `${id}-${version}-${String(ground.clock.now())}.jsonl`);
    await pipeline(Readable.from(linesOf(ground.db, receipt)), createWriteStream(file, { mode: 0o600 }));
    return file;
  }

  async #purge(actor: Actor, { id, manifest }: PluginFacts, receipt: Receipt): Promise<void> {
    const { plugins, ground } = this.#deps;
    if (manifest) await plugins.purge(actor, id);
    await ground.db.transaction((tx) => deleteBelongings(tx, receipt));
  }

  async #remove(actor: Actor, { id, versions }: UninstallReceipt): Promise<void> {
    const { ground, plugins, added } = this.#deps;
    const at = ground.clock.now();
    await ground.db.transaction(async (tx) => {
      await setChosen(tx, id, { chosen: null, previous: null });
      await deleteReleases(tx, id, versions);
      await ground.audit.record(tx, actor, {
        action: 'plugin.uninstalled',
        subject: { type: 'plugin', id, label: id },
      });
      await bumpVersion(tx, PLUGINS_VERSION);
    });
    this.#deps.reached?.('removed');
    await rm(join(added, id), { recursive: true, force: true });
    await plugins.follow([id], { at });
  }
}
