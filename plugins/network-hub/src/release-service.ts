import { createHash } from 'node:crypto';
import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  newId,
  NotFoundError,
  readPackage,
  type Actor,
  type Host,
  type PackageFacts,
  type Tx,
} from 'latchkey/plugin-api';
import {
  changePlugin,
  changeRelease,
  countDownload,
  findPlugin,
  findRelease,
  insertPicture,
  insertPlugin,
  insertRelease,
  listPlugins,
  listReleases,
  opinionsOf,
  putRating,
  ratingsOf,
  type Opinion,
  readPacked,
  setTags,
  tagsOf,
  type PublishedPlugin,
} from './catalogue-repository.ts';
import { dayOf } from './day.ts';
import {
  keyOf,
  newestFirst,
  type Channel,
  type PluginRecord,
  type Release,
  type Withdrawal,
} from './release.ts';
import { listOffers } from './subscription-repository.ts';
import type { TrustService } from './trust/trust-service.ts';

/** What its publisher says of a package; what it leaves open stays as it was. */
export interface PublishDraft {
  channel: Channel;
  /** The least offer that has it; empty is free. */
  offer?: string | undefined;
  tags?: readonly string[] | undefined;
  trialDays?: number | undefined;
  compatibility?: string | undefined;
  notes?: string | undefined;
  /** The publisher's, over the list of files. */
  signature?: string | undefined;
}

/** A plugin with all that belongs to it, newest version first. */
export interface Listing extends PublishedPlugin {
  tags: string[];
  stars: number;
  people: number;
  opinions: Opinion[];
  releases: Release[];
}

const LISTED = 200;
const LARGEST = 50 * 1024 * 1024;
const LATER = '0.0.0-0';

/** What is published here: versions that never change, staged, held back and withdrawn. */
export class ReleaseService {
  readonly #host: Host;
  readonly #trust: TrustService;

  constructor(host: Host, trust: TrustService) {
    this.#host = host;
    this.#trust = trust;
  }

  /** A page of the catalogue, for whoever may see all of it. */
  async list(range: { tag?: string; from: number; limit: number }): Promise<Listing[]> {
    return this.#listings(await listPlugins(this.#host.db, range));
  }

  /** The newest 200, for the vendor. */
  async all(actor: Actor): Promise<Listing[]> {
    assertPublisher(actor);
    const listed = await this.list({ from: 0, limit: LISTED });
    return listed.toSorted((one, other) => other.updatedAt - one.updatedAt);
  }

  async find(pluginId: string): Promise<Listing> {
    const plugin = await findPlugin(this.#host.db, keyOf(pluginId));
    const [listing] = plugin ? await this.#listings([plugin]) : [];
    if (!listing) throw new NotFoundError('hub.no-such-plugin');
    return listing;
  }

  /** The same bytes once more change nothing and are no mistake. */
  async publish(
    actor: Actor,
    packed: Uint8Array,
    draft: PublishDraft,
  ): Promise<{ listing: Listing; release: Release }> {
    assertPublisher(actor);
    if (packed.length > LARGEST) throw new InvalidInputError('plugin.package-too-big');
    const facts = await readPackage(packed);
    assertWorthy(facts);
    const { id, version } = facts.manifest;
    const known = await findPlugin(this.#host.db, keyOf(id));
    await this.#assertMayFollow(facts, known, draft);
    const signature = draft.signature ?? (await this.#trust.signedFor(facts.manifest.publisher, packed));
    await this.#host.transaction(async (tx) => {
      await this.#write(tx, actor, { facts, packed, draft, known });
      const offers = draft.offer === undefined ? (known?.requiredOffers ?? []) : offersOf(draft);
      if (signature !== null) await this.#sign(tx, { facts, packed, signature, offers });
    });
    const listing = await this.find(id);
    const release = listing.releases.find((one) => one.version === version);
    if (!release) throw new NotFoundError('hub.no-such-plugin');
    return { listing, release };
  }

  /** What was published before the hub could sign for its publisher is signed now; says how many versions. */
  async signWaiting(actor: Actor): Promise<number> {
    assertPublisher(actor);
    const waiting = (await this.all(actor)).flatMap((listing) =>
      listing.releases.map((release) => ({ listing, release })),
    );
    let signed = 0;
    for (const { listing, release } of waiting) {
      const { id, publisher } = listing.record;
      if (await this.isSigned(id, release.version)) continue;
      const packed = await this.packed(release);
      const signature = await this.#trust.signedFor(publisher, packed).catch(() => null);
      if (signature === null) continue;
      const facts = { manifest: release.manifest };
      const offers = listing.requiredOffers;
      await this.#host.transaction((tx) => this.#sign(tx, { facts, packed, signature, offers }));
      signed += 1;
    }
    return signed;
  }

  /** Versions that helpdesks would refuse; none while this hub signs nothing at all. */
  async unsignedOf({ record, releases }: Listing): Promise<string[]> {
    if ((await this.#trust.look()) === null) return [];
    const unsigned: string[] = [];
    for (const { version } of releases)
      if (!(await this.isSigned(record.id, version))) unsigned.push(version);
    return unsigned;
  }

  /** Whether helpdesks that believe signatures would take it. */
  isSigned(pluginId: string, version: string): Promise<boolean> {
    return this.#trust.isNamed(pathOf(pluginId, version));
  }

  /** The catalogue's half of the two signatures that helpdesks ask for. */
  async #sign(
    tx: Tx,
    {
      facts,
      packed,
      signature,
      offers,
    }: { facts: Pick<PackageFacts, 'manifest'>; packed: Uint8Array; signature: string; offers: string[] },
  ): Promise<void> {
    const { id, version, publisher } = facts.manifest;
    await this.#trust.name(tx, {
      path: pathOf(id, version),
      length: packed.length,
      sha256: createHash('sha256').update(packed).digest('hex'),
      custom: { id, version, publisher, signature, offers },
    });
  }

  /** To how many of a hundred helpdesks it is shown. */
  async stage(actor: Actor, pluginId: string, version: string, share: number): Promise<void> {
    await this.#change(actor, { pluginId, version }, { share }, 'release-staged');
  }

  /** A version that is stopped wherever it runs needs a text that administrators will read. */
  async withdraw(
    actor: Actor,
    pluginId: string,
    version: string,
    { kind, reason }: { kind: Withdrawal; reason: string },
  ): Promise<void> {
    if (kind === 'security' && reason === '')
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'reason', code: 'hub.say-the-reason' }],
      });
    await this.#change(actor, { pluginId, version }, { withdrawn: kind, reason }, 'release-withdrawn');
    // Stopping it where it runs takes two keepers.
    if (kind === 'security')
      await this.#trust.wantWithdrawal(actor, { plugin: pluginId, versions: [version], reason });
  }

  async restore(actor: Actor, pluginId: string, version: string): Promise<void> {
    const change = { withdrawn: null, reason: null };
    await this.#change(actor, { pluginId, version }, change, 'release-restored');
  }

  /** A customer has one voice for each plugin, however many helpdesks and subscriptions, and may change it. */
  async rate(
    userId: string,
    pluginId: string,
    said: { stars: number; sentence: string },
  ): Promise<{ stars: number; people: number }> {
    const { number } = await this.find(pluginId);
    const saidAt = this.#host.clock.now();
    await this.#host.transaction((tx) => putRating(tx, { ...said, plugin: number, userId, saidAt }));
    return (await ratingsOf(this.#host.db, [number])).get(number) ?? { stars: 0, people: 0 };
  }

  /** The version these bytes are, with its plugin. */
  async byDigest(sha256: string): Promise<{ release: Release; plugin: PublishedPlugin } | null> {
    const { db } = this.#host;
    const release = await findRelease(db, { sha256 });
    const [plugin] = release ? await listPlugins(db, { from: 0, limit: 1, number: release.plugin }) : [];
    return release && plugin ? { release, plugin } : null;
  }

  packed(release: Release): Promise<Buffer> {
    return readPacked(this.#host.db, release.id);
  }

  async countDownload({ plugin }: Pick<Release, 'plugin'>): Promise<void> {
    await this.#host.transaction((tx) => countDownload(tx, plugin, dayOf(this.#host.clock.now())));
  }

  async #assertMayFollow(
    { manifest, sha256 }: PackageFacts,
    known: PublishedPlugin | null,
    { offer }: PublishDraft,
  ): Promise<void> {
    const { db } = this.#host;
    const { id, version, publisher } = manifest;
    const params = { plugin: id, version, publisher: known?.record.publisher ?? '' };
    if (
      offer !== undefined &&
      offer !== '' &&
      !(await listOffers(db)).some(({ reference }) => reference === offer)
    )
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'offer', code: 'hub.no-such-offer' }],
      });
    if (!known) return;
    if (known.record.id !== id) throw new ConflictError('hub.name-taken', { params });
    if (known.record.publisher !== publisher) throw new ConflictError('hub.other-publisher', { params });
    const before = await findRelease(db, { plugin: known.number, version });
    if (before && before.sha256 !== sha256) throw new ConflictError('hub.version-exists', { params });
  }

  async #write(
    tx: Tx,
    actor: Actor,
    {
      facts,
      packed,
      draft,
      known,
    }: { facts: PackageFacts; packed: Uint8Array; draft: PublishDraft; known: PublishedPlugin | null },
  ): Promise<void> {
    const { manifest, sha256, size } = facts;
    const now = this.#host.clock.now();
    const number = known?.number ?? (await this.#introduce(tx, facts, draft, now));
    if (draft.tags) await setTags(tx, number, draft.tags.flatMap(tagOf));
    if (await findRelease(tx, { plugin: number, version: manifest.version })) return;
    const release: Release = {
      id: newId(),
      plugin: number,
      version: manifest.version,
      channel: draft.channel,
      sha256,
      size,
      manifest,
      notes: draft.notes ?? notesFor(manifest.version, facts.changelog),
      latchkey: manifest.engines.latchkey,
      compatibility: draft.compatibility ?? null,
      share: 100,
      withdrawn: null,
      reason: null,
      publishedAt: now,
      publishedBy: actor.name,
    };
    await insertRelease(tx, release, packed);
    for (const picture of picturesIn(facts)) await insertPicture(tx, picture);
    const newest = [...(await listReleases(tx, [number]))].sort(newestFirst)[0];
    if (known)
      await changePlugin(tx, number, {
        updatedAt: now,
        ...(newest?.id === release.id ? { record: recordOf(facts, draft, known.record) } : {}),
        ...(draft.offer === undefined ? {} : { requiredOffers: offersOf(draft) }),
      });
    await this.#record(tx, actor, 'release-published', { pluginId: manifest.id, version: manifest.version });
  }

  #introduce(tx: Tx, facts: PackageFacts, draft: PublishDraft, now: number): Promise<number> {
    return insertPlugin(tx, {
      nameKey: keyOf(facts.manifest.id),
      record: recordOf(facts, draft, null),
      requiredOffers: offersOf(draft),
      publishedAt: now,
      updatedAt: now,
      downloads: 0,
    });
  }

  async #change(
    actor: Actor,
    { pluginId, version }: { pluginId: string; version: string },
    change: Parameters<typeof changeRelease>[2],
    what: string,
  ): Promise<void> {
    assertPublisher(actor);
    const { number } = await this.find(pluginId);
    const release = await findRelease(this.#host.db, { plugin: number, version });
    if (!release) throw new NotFoundError('hub.no-such-plugin');
    await this.#host.transaction(async (tx) => {
      await changeRelease(tx, release.id, change);
      await changePlugin(tx, number, { updatedAt: this.#host.clock.now() });
      await this.#record(tx, actor, what, { pluginId, version, ...change });
    });
  }

  async #listings(plugins: readonly PublishedPlugin[]): Promise<Listing[]> {
    const { db } = this.#host;
    const numbers = plugins.map(({ number }) => number);
    const releases = await listReleases(db, numbers);
    const [tags, ratings] = [await tagsOf(db, numbers), await ratingsOf(db, numbers)];
    const opinions = await opinionsOf(db, numbers);
    return plugins.map((plugin) => ({
      ...plugin,
      tags: tags.get(plugin.number) ?? [],
      ...(ratings.get(plugin.number) ?? { stars: 0, people: 0 }),
      opinions: opinions.get(plugin.number) ?? [],
      releases: releases.filter((release) => release.plugin === plugin.number).sort(newestFirst),
    }));
  }

  #record(
    tx: Tx,
    actor: Actor,
    what: string,
    { pluginId, version, ...after }: { pluginId: string; version: string; [fact: string]: unknown },
  ): Promise<void> {
    return this.#host.audit.record(tx, actor, {
      action: `network-hub.${what}`,
      subject: { type: 'hub-plugin', id: pluginId, label: `${pluginId} ${version}` },
      after: { version, ...after },
    });
  }
}

/** What a package is called in the signed catalogue. */
const pathOf = (id: string, version: string): string => `plugins/${id}/${version}.tgz`;

/** The lint: what nobody would want to install, said before anybody can. */
function assertWorthy({ manifest, words }: PackageFacts): void {
  const { description = '' } = words['en'] ?? {};
  const problems = [
    ...(manifest.license === '' ? ['license'] : []),
    ...(description.length < 10 ? ['description'] : []),
    ...(manifest.engines.latchkey === '*' ? ['engines.latchkey'] : []),
    ...(manifest.version === LATER ? ['version'] : []),
  ];
  if (problems.length > 0)
    throw new InvalidInputError('hub.lint', { params: { problems: problems.join(', ') } });
}

const offersOf = ({ offer = '' }: PublishDraft): string[] => (offer === '' ? [] : [offer]);

const hexOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

const picturesIn = ({ icon, screenshots }: PackageFacts): { sha256: string; content: Buffer }[] =>
  [...(icon ? [icon] : []), ...screenshots.map(({ content }) => content)].map((content) => ({
    sha256: hexOf(content),
    content,
  }));

function recordOf(facts: PackageFacts, draft: PublishDraft, before: PluginRecord | null): PluginRecord {
  const { manifest, words, readme, icon, screenshots } = facts;
  return {
    id: manifest.id,
    publisher: manifest.publisher,
    license: manifest.license,
    homepage: manifest.homepage ?? null,
    words,
    readme,
    symbol: manifest.menus[0]?.icon ?? 'puzzle',
    icon: icon && hexOf(icon),
    screenshots: screenshots.map(({ name, content }) => ({ name, sha256: hexOf(content) })),
    trialDays: draft.trialDays ?? before?.trialDays ?? 0,
  };
}

/** The part of the changelog under the heading that names this version. */
function notesFor(version: string, changelog: string): string {
  const [, ...sections] = `\n${changelog}`.split(/\n(?=##? )/);
  const section = sections.find((one) => one.split('\n')[0]?.includes(version));
  return section?.split('\n').slice(1).join('\n').trim() ?? '';
}

function tagOf(label: string): { tag: string; label: string }[] {
  const bare = label.trim().slice(0, 40);
  const tag = bare
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z]+/g, '-');
  return tag === '' ? [] : [{ tag, label: bare }];
}

function assertPublisher(actor: Actor): void {
  if (!actor.can('network-hub.publish')) throw new ForbiddenError('hub.publisher-only');
}
