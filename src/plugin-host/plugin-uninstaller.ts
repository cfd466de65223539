import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bumpVersion } from '../db/versions.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError, ForbiddenError } from '../shared/errors.ts';
import { prefixOf } from './own-tables.ts';
import { PLUGINS_VERSION, type PluginFacts, type PluginHost } from './plugin-host.ts';
import { setChosen } from './plugin-repository.ts';
import { deleteBelongings, linesOf, readReceipt, type Receipt } from './receipt-repository.ts';
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
  ground: Pick<Ground, 'db' | 'clock' | 'audit'>;
  plugins: PluginHost;
  added: string;
  /** Where exported data goes. */
  exports: string;
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
    if (data !== 'keep') await this.#purge(actor, facts, receipt);
    await this.#remove(actor, receipt);
    return { ...receipt, exportedTo };
  }

  async #export({ id, version, tables }: UninstallReceipt): Promise<string> {
    const { exports, ground } = this.#deps;
    await mkdir(exports, { recursive: true, mode: 0o700 });
    const file = join(exports, `${id}-${version}-${String(ground.clock.now())}.jsonl`);
    await pipeline(Readable.from(linesOf(ground.db, tables)), createWriteStream(file, { mode: 0o600 }));
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
    await rm(join(added, id), { recursive: true, force: true });
    await plugins.follow([id], { at });
  }
}
