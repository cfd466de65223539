import { addedTo, touchesOf } from './touches.ts';
import { digestAside } from '../crypto/digest.ts';
import { bumpVersion } from '../db/versions.ts';
import { pendingMigrations } from '../db/migrations.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import { firstBreaking } from './additive.ts';
import type { Reached } from './crash-points.ts';
import { planOrder } from './load-order.ts';
import { parseManifest, readManifest, type Manifest } from './manifest.ts';
import type { PluginFacts } from './plugin-facts.ts';
import type { PluginHost } from './plugin-host.ts';
import {
  insertState,
  listStates,
  newcomer,
  setChosen,
  setDesired,
  type Pointer,
  type PluginState,
} from './plugin-repository.ts';
import { PLUGINS_VERSION } from './plugin-wishes.ts';
import type { PublisherKeys, Trust } from './publisher-keys.ts';
import type { Preflight, RunPreflight } from './preflight.ts';
import type { Ground } from './registries.ts';
import { clearStaging, keepForUse, unpackedAside } from './release-folders.ts';
import {
  deleteReleases,
  findRelease,
  insertRelease,
  listReleases,
  updateRelease,
  type Release,
} from './release-repository.ts';
import type { Unpacked } from './unpack.ts';

/** Versions of one plugin that are kept; those in use and before it always are. */
const KEPT = 5;

export interface PluginInstallerDeps {
  ground: Pick<Ground, 'db' | 'clock' | 'audit'>;
  plugins: PluginHost;
  added: string;
  preflight: RunPreflight;
  publishers: PublisherKeys;
  reached?: Reached;
  /** How long a new version is watched on one node before the others follow. */
  watchMs?: number;
}

/** It came from somebody's hand, with the text of its signature if there is one. */
export interface Upload {
  signature: string | null;
}

/** A hub has sent it and its bytes are those that were named; whoever fetched it looks at the list of its files before anything else does. */
export interface Consignment {
  assertSigned: (list: Buffer | null) => void;
}

const WATCH_MS = 60_000;

/** What a package is, and what changes when it is used. */
export interface InstallPlan extends Trust {
  id: string;
  version: string;
  /** The version that runs now. */
  from: string | null;
  sha256: string;
  size: number;
  manifest: Manifest;
  /** Permissions, rights and paths it has and the version in use has not. */
  added: string[];
  migrations: string[];
  /** What it did not clear away when it was tried. */
  leftovers: string[];
}

/** Brings packages in: looked at, tried elsewhere, kept whole, and then put to use by moving one pointer. */
export class PluginInstaller {
  readonly #deps: PluginInstallerDeps;

  constructor(deps: PluginInstallerDeps) {
    this.#deps = deps;
  }

  /** Verifies a package, tries it in a process of its own and keeps it. Nothing that runs has changed afterwards. */
  async stage(actor: Actor, packed: Uint8Array, from?: Upload | Consignment): Promise<InstallPlan> {
    assertMay(actor);
    const { added, preflight } = this.#deps;
    const digest = digestAside(packed);
    await clearStaging(added, { now: Date.now() });
    return unpackedAside(added, packed, async (folder, unpacked) => {
      const bytes = { sha256: await digest, size: packed.length };
      const trust = await this.#trustIn(folder, unpacked, from);
      const manifest = await manifestIn(folder);
      await this.#assertMayCome(manifest, bytes.sha256);
      this.#reached('staged');
      const tried = await preflight(folder, manifest.id);
      this.#reached('preflighted');
      const plan = { ...(await this.#plan(manifest, tried)), ...bytes, ...trust };
      await this.#keep(actor, plan, packed);
      this.#reached('stored');
      await keepForUse(added, { ...plan, pluginId: plan.id }, { folder, unpacked });
      return plan;
    });
  }

  async #trustIn(folder: string, { list }: Unpacked, from: Upload | Consignment = VOUCHER): Promise<Trust> {
    if ('signature' in from)
      return this.#deps.publishers.judge(list, from.signature, await manifestIn(folder));
    from.assertSigned(list);
    return { trust: 'vouched', signedBy: null };
  }

  /**
   * Uses this version everywhere, enabled. An update is watched on one node for a while, and the others keep the version before until
   * that went well. Should it not run here, the one before is in use again, and the error says why.
   *
   * @throws {ConflictError} `plugin.unsigned` for an upload that nobody known answers for, unless somebody decides to use it
   */
  async use(
    actor: Actor,
    id: string,
    version: string,
    { acceptsUnsigned = false, isWatched = true } = {},
  ): Promise<PluginFacts> {
    assertMay(actor);
    const before = await this.#stateOf(id);
    const release = await findRelease(this.#deps.ground.db, id, version);
    if (!release) throw unknownVersion(id, version);
    await this.#deps.plugins.assertNothingAgainst(id, version);
    await this.#assertAnsweredFor(actor, release, { acceptsUnsigned });
    const previous = before.chosen === version ? before.previous : before.chosen;
    const isUpdate = before.desired === 'enabled' && before.chosen !== null && before.chosen !== version;
    const watch = isUpdate && isWatched ? await this.#watch() : {};
    await this.#point(actor, id, { chosen: version, previous, ...watch });
    const now = await this.#deps.plugins.find(id, actor.locale);
    const isWell = now.state === 'enabled' && now.error === null;
    if (isWell || before.chosen === null || before.chosen === version) return now;
    await this.#point(actor, id, { chosen: before.chosen, previous: before.previous });
    throw new ConflictError('plugin.version-does-not-run', {
      params: { plugin: id, version, problem: now.error ?? '' },
    });
  }

  /** Back to the version before. Its schema was only ever added to, so nothing has to go back there. */
  async rollback(actor: Actor, id: string): Promise<PluginFacts> {
    assertMay(actor);
    const { previous } = await this.#stateOf(id);
    if (previous === null) throw new ConflictError('plugin.no-previous', { params: { plugin: id } });
    return this.use(actor, id, previous, { isWatched: false });
  }

  /** What a kept version would change, for the page that asks before it is used. */
  async look(
    actor: Actor,
    id: string,
    version: string,
  ): Promise<Omit<InstallPlan, 'leftovers' | 'migrations'> & Pick<Release, 'acceptedBy' | 'wentWrong'>> {
    assertMay(actor);
    const release = await findRelease(this.#deps.ground.db, id, version);
    if (!release) throw unknownVersion(id, version);
    const { sha256, size, trust, signedBy, acceptedBy, wentWrong } = release;
    const facts = { id, version, sha256, size, trust, signedBy, acceptedBy, wentWrong };
    return { ...facts, ...(await this.#difference(parseManifest(release.manifest))) };
  }

  async #watch(): Promise<Partial<Pointer>> {
    const { plugins, ground, watchMs = WATCH_MS } = this.#deps;
    const watchedOn = await plugins.nodeToTry();
    return watchedOn === null ? {} : { watchedOn, watchedUntil: ground.clock.now() + watchMs };
  }

  async #assertAnsweredFor(
    actor: Actor,
    { pluginId, version, trust, acceptedBy }: Release,
    { acceptsUnsigned }: { acceptsUnsigned: boolean },
  ): Promise<void> {
    if (trust !== 'unsigned' || acceptedBy !== null) return;
    if (!acceptsUnsigned)
      throw new ConflictError('plugin.unsigned', { params: { plugin: pluginId, version } });
    const { db, audit } = this.#deps.ground;
    await db.transaction(async (tx) => {
      await updateRelease(tx, { pluginId, version }, { acceptedBy: actor.name });
      await audit.record(tx, actor, {
        action: 'plugin.unsigned-accepted',
        subject: subjectOf(pluginId, version),
      });
    });
  }

  async #assertMayCome(manifest: Manifest, sha256: string): Promise<void> {
    const { ground, plugins } = this.#deps;
    const { id, version } = manifest;
    const params = { plugin: id, version };
    const facts = await plugins.find(id, 'en').catch(() => null);
    if (facts?.isBundled) throw new ConflictError('plugin.is-bundled', { params });
    if (facts?.manifest && facts.releases.length === 0)
      throw new ConflictError('plugin.is-folder', { params });
    const known = await findRelease(ground.db, id, version);
    if (known && known.sha256 !== sha256) throw new ConflictError('plugin.version-exists', { params });
    const { problems } = planOrder(
      [{ ...manifest, dependencies: { ...manifest.dependencies, requires: {} } }],
      plugins.latchkeyVersion,
    );
    if (problems.has(id)) {
      throw new ConflictError('plugin.other-latchkey', {
        params: { ...params, wanted: manifest.engines.latchkey },
      });
    }
  }

  async #plan(
    manifest: Manifest,
    tried: Preflight,
  ): Promise<Omit<InstallPlan, keyof Trust | 'sha256' | 'size'>> {
    const { id, version } = manifest;
    const pending = await this.#pending(id, tried);
    const difference = await this.#difference(manifest);
    const statement =
      difference.from === null
        ? undefined
        : firstBreaking(pending.filter(({ isLater }) => !isLater).flatMap(({ statements }) => statements));
    if (statement !== undefined) {
      throw new ConflictError('plugin.not-additive', {
        params: { plugin: id, version, statement: statement.slice(0, 200) },
      });
    }
    return {
      id,
      version,
      ...difference,
      migrations: pending.map(({ name }) => name),
      leftovers: tried.leftovers,
    };
  }

  async #pending(id: string, { migrations }: Preflight): Promise<Preflight['migrations']> {
    const all = migrations.map(({ name, statements }) => ({ name, statements, up: statements, down: [] }));
    const names = new Set((await pendingMigrations(this.#deps.ground.db, id, all)).map(({ name }) => name));
    return migrations.filter(({ name }) => names.has(name));
  }

  async #difference(manifest: Manifest): Promise<Pick<InstallPlan, 'from' | 'manifest' | 'added'>> {
    const { db } = this.#deps.ground;
    const state = (await listStates(db)).find(({ id }) => id === manifest.id);
    const current = await findRelease(db, manifest.id, state?.chosen ?? '');
    const before = current && parseManifest(current.manifest);
    return {
      manifest,
      from: before?.version ?? null,
      added: addedTo(before ? touchesOf(before) : [], touchesOf(manifest)),
    };
  }

  async #keep(
    actor: Actor,
    { id, version, sha256, size, manifest, trust, signedBy }: InstallPlan,
    packed: Uint8Array,
  ): Promise<void> {
    const { db, clock, audit } = this.#deps.ground;
    const known = await findRelease(db, id, version);
    if (known) {
      // Whom we trust may have changed since it was refused.
      if (known.trust === 'unsigned' && trust !== 'unsigned')
        await db.transaction((tx) => updateRelease(tx, known, { trust, signedBy }));
      return;
    }
    const now = clock.now();
    const release: Release = {
      pluginId: id,
      version,
      sha256,
      size,
      manifest,
      addedAt: now,
      addedBy: actor.name,
      trust,
      signedBy,
      acceptedBy: null,
      wentWrong: null,
    };
    await db.transaction(async (tx) => {
      await insertRelease(tx, release, packed);
      await insertState(tx, newcomer(id, { at: now, by: actor.name }));
      await audit.record(tx, actor, { action: 'plugin.staged', subject: subjectOf(id, version) });
    });
  }

  async #point(actor: Actor, id: string, pointer: Pointer): Promise<void> {
    const { db, clock, audit } = this.#deps.ground;
    const at = clock.now();
    await db.transaction(async (tx) => {
      await setChosen(tx, id, { rolledOutAt: at, ...pointer });
      await setDesired(tx, [id], { desired: 'enabled', at, by: actor.name });
      await audit.record(tx, actor, {
        action: 'plugin.version-used',
        subject: subjectOf(id, pointer.chosen ?? ''),
      });
      await this.#forgetOld(tx, id, pointer);
      await bumpVersion(tx, PLUGINS_VERSION);
    });
    this.#reached('pointed');
    await this.#deps.plugins.follow([id], { at });
  }

  async #forgetOld(
    tx: Parameters<typeof deleteReleases>[0],
    id: string,
    { chosen, previous }: Pick<PluginState, 'chosen' | 'previous'>,
  ): Promise<void> {
    const versions = (await listReleases(tx, id)).map(({ version }) => version);
    const spare = versions.filter((version) => version !== chosen && version !== previous);
    await deleteReleases(tx, id, spare.slice(0, Math.max(0, versions.length - KEPT)));
  }

  async #stateOf(id: string): Promise<PluginState> {
    const state = (await listStates(this.#deps.ground.db)).find((one) => one.id === id);
    if (!state) throw new NotFoundError('plugin.not-found', { params: { plugin: id } });
    return state;
  }

  #reached: Reached = (point) => {
    this.#deps.reached?.(point);
  };
}

const manifestIn = (folder: string): Promise<Manifest> =>
  readManifest(folder).catch((cause: unknown) => {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidInputError('plugin.manifest', { cause, params: { problem } });
  });

function assertMay(actor: Actor): void {
  if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
}

/** Whoever calls has seen all there is to see. */
const VOUCHER: Consignment = { assertSigned: () => undefined };

const subjectOf = (id: string, version: string): { type: string; id: string; label: string } => ({
  type: 'plugin',
  id,
  label: `${id} ${version}`,
});

const unknownVersion = (plugin: string, version: string): NotFoundError =>
  new NotFoundError('plugin.version-unknown', { params: { plugin, version } });
