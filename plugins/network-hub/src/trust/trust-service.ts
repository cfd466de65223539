import {
  boxIn,
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  signPackage,
  z,
  type Actor,
  type Host,
  type Queryable,
  type SealedColumns,
  type Tx,
} from 'latchkey/plugin-api';
import {
  assertSigned,
  binDocument,
  binOf,
  bodyOf,
  fingerprintOf,
  LIFE_MS,
  rootDocument,
  signed,
  snapshotDocument,
  targetsDocument,
  timestampDocument,
  type Kind,
  type Rules,
  type Target,
} from './documents.ts';
import { newSigner, publicKeyFrom, signerFrom, type Signer } from './signer.ts';
import {
  deleteOldDocuments,
  deleteSignersExcept,
  deleteTarget,
  findDocument,
  insertDocument,
  insertSigner,
  isTarget,
  listBins,
  listSigners,
  listTargets,
  newestVersions,
  putTarget,
  takeTurn,
  wantedRules,
  wantRules,
  type StoredSigner,
} from './trust-repository.ts';

type Json = Parameters<typeof bodyOf>[0];
/** `publisher` only where a vendor lets the hub sign packages for them; the ceremony names the others. */
export type OnlineRole = 'snapshot' | 'timestamp' | 'catalogue' | 'entitlements' | 'publisher';
const ONLINE: readonly Exclude<OnlineRole, 'publisher'>[] = [
  'snapshot',
  'timestamp',
  'catalogue',
  'entitlements',
];
/** What the keepers carry to their offline machines and back. */
export interface Ceremony {
  format: 1;
  root: Json | null;
  targets: Json;
}
const ceremony = z.object({
  format: z.literal(1),
  root: z.record(z.string(), z.unknown()).nullable(),
  targets: z.record(z.string(), z.unknown()),
});
const rules = z.object({
  publishers: z.record(z.string(), z.array(z.string())).default({}),
  entitlements: z.array(z.string()).default([]),
  withdrawn: z
    .array(
      z.object({ plugin: z.string(), versions: z.array(z.string()).exactOptional(), reason: z.string() }),
    )
    .default([]),
});
const signedRoot = z.object({
  signed: z.object({
    version: z.int(),
    expires: z.string(),
    keys: z.record(z.string(), z.object({ keyval: z.object({ public: z.string() }) })),
    roles: z.record(z.string(), z.object({ keyids: z.array(z.string()) })),
  }),
});
const signedTargets = z.object({
  signed: z.object({
    version: z.int(),
    expires: z.string(),
    delegations: z.object({
      keys: z.record(z.string(), z.object({ keyval: z.object({ public: z.string() }) })),
    }),
    latchkey: rules,
  }),
});

/** Versions of a document that are kept beside the newest, for who is reading just now. */
const KEPT = 5;
const KEYS_OF_CEREMONY = 3;

export interface Trust {
  fingerprint: string;
  root: { version: number; expires: string; keepers: string[] };
  targets: { version: number; expires: string };
  rules: Rules;
  /** The public key with which the hub signs for publishers who let it; null where it holds none. */
  heldKey: string | null;
  /** Rules that the next ceremony is to sign; null when nothing waits. */
  wanted: Rules | null;
}

/** Signs what helpdesks verify: root and catalogue rules by two of three keepers, offline; the rest here, with keys of the hub. */
export class TrustService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** What lies sealed, for whoever tries all of it. */
  sealed(): SealedColumns[] {
    const { keys } = this.#host;
    const contextOfRow = ({ id }: Readonly<Record<string, unknown>>): string => contextOf(String(id));
    return [{ table: 'hub_trust_key', id: 'id', keys, boxOf: boxIn('box'), contextOf: contextOfRow }];
  }

  /** Null while no ceremony was held. */
  async look(db: Queryable = this.#host.db): Promise<Trust | null> {
    const [first, root, targets] = await Promise.all([
      findDocument(db, 'root', 1),
      findDocument(db, 'root'),
      findDocument(db, 'targets'),
    ]);
    if (!first || !root || !targets) return null;
    const { signed: of } = signedRoot.parse(jsonOf(root.body));
    const { signed: said } = signedTargets.parse(jsonOf(targets.body));
    const wanted = await wantedRules(db);
    return {
      fingerprint: fingerprintOf(first.body),
      root: { version: of.version, expires: of.expires, keepers: of.roles['root']?.keyids ?? [] },
      targets: { version: said.version, expires: said.expires },
      rules: said.latchkey,
      heldKey: (await this.#held(db))?.publicKey ?? null,
      wanted: Object.keys(wanted).length === 0 ? null : { ...said.latchkey, ...wanted },
    };
  }

  /** A document by the name that clients ask for: `timestamp.json`, `3.root.json`, `12.bin-0a.json`. */
  async document(name: string): Promise<Buffer | null> {
    const [, version, role] = /^(?:(\d{1,15})\.)?([a-z][a-z0-9-]{0,38})\.json$/.exec(name) ?? [];
    if (role === undefined || (version === undefined) !== (role === 'timestamp')) return null;
    const found = await findDocument(
      this.#host.db,
      role,
      version === undefined ? undefined : Number(version),
    );
    return found?.body ?? null;
  }

  /** What the keepers have to sign next. `keepers` are their public keys, as PEM; those of before unless said. */
  async begin(
    actor: Actor,
    { keepers, rotate = false }: { keepers?: readonly string[]; rotate?: boolean } = {},
  ): Promise<Ceremony> {
    this.#assertMay(actor);
    return this.#host.transaction(async (tx) => {
      await takeTurn(tx);
      return this.#draft(tx, { keepers: keepers?.map(publicKeyFrom) ?? null, rotate });
    });
  }

  /** Takes what two of three have signed. @throws {InvalidInputError} and nothing has changed */
  async finish(actor: Actor, text: string): Promise<Trust> {
    this.#assertMay(actor);
    const read = ceremony.safeParse(jsonOf(text));
    if (!read.success) throw new InvalidInputError('hub.trust-not-a-ceremony', { cause: read.error });
    const { root, targets } = read.data as unknown as Ceremony;
    await this.#host.transaction(async (tx) => {
      await takeTurn(tx);
      await this.#take(tx, { format: 1, root, targets });
      await this.#publish(tx, { isAnew: root !== null });
      await this.#host.audit.record(tx, actor, {
        action: 'network-hub.ceremony-held',
        subject: { type: 'hub', id: 'trust', label: 'trust' },
        after: { root: root !== null },
      });
    });
    const now = await this.look();
    if (!now) throw new ConflictError('hub.trust-no-ceremony');
    return now;
  }

  /**
   * All of a first ceremony at once, for a hub that begins: three keys that are given away and kept nowhere. For the publishers that are
   * named the hub keeps a fourth, and signs their packages itself.
   */
  async establish(actor: Actor, { heldFor = [] }: { heldFor?: readonly string[] } = {}): Promise<string[]> {
    this.#assertMay(actor);
    if (await this.look()) throw new ConflictError('hub.trust-established');
    for (const name of heldFor) await this.wantHeld(actor, name);
    const keepers = [newSigner(), newSigner(), newSigner()];
    const pems = keepers.map(({ pem }) => pem);
    const drafted = await this.#host.transaction(async (tx) => {
      await takeTurn(tx);
      return this.#draft(tx, { keepers: keepers.map(({ publicKey }) => publicKey), rotate: false });
    });
    await this.finish(actor, JSON.stringify(signCeremony(drafted, pems.slice(0, 2))));
    return pems;
  }

  /** Changes of the rules wait for the next ceremony. */
  async want(actor: Actor, change: (rules: Rules) => Partial<Rules>): Promise<void> {
    this.#assertMay(actor);
    await this.#host.transaction(async (tx) => {
      await takeTurn(tx);
      const now = await this.look(tx);
      const before = now?.wanted ?? now?.rules ?? { ...noRules, ...(await wantedRules(tx)) };
      await wantRules(tx, { ...(await wantedRules(tx)), ...change(before) });
    });
  }

  wantPublisher(actor: Actor, name: string, pem: string): Promise<void> {
    const key = publicKeyFrom(pem);
    return this.want(actor, ({ publishers }) => ({
      publishers: { ...publishers, [name]: [...new Set([...(publishers[name] ?? []), key])] },
    }));
  }

  /** From the next ceremony on the hub signs for this publisher, with a key that it keeps. */
  async wantHeld(actor: Actor, name: string): Promise<void> {
    this.#assertMay(actor);
    const { db } = this.#host;
    const known = (await this.#held(db))?.publicKey;
    const key = known ?? (await this.#host.transaction((tx) => this.#newOnlineKey(tx, 'publisher')));
    await this.want(actor, ({ publishers }) => ({
      publishers: { ...publishers, [name]: [...new Set([...(publishers[name] ?? []), key])] },
    }));
  }

  /** The signature of a publisher who lets the hub sign, once the keepers have named its key; null for all others. */
  async signedFor(publisher: string, packed: Uint8Array): Promise<string | null> {
    const now = await this.look();
    if (!now) return null;
    const named = Object.hasOwn(now.rules.publishers, publisher) ? now.rules.publishers[publisher] : [];
    const held = await this.#held(this.#host.db);
    if (!held || named?.includes(held.publicKey) !== true) return null;
    return (await signPackage(packed, this.#pemOf(held))).text;
  }

  /** By the names that clients ask for: all that a walk to these packages needs. */
  async documentsFor(paths: readonly string[]): Promise<Record<string, string>> {
    const { db } = this.#host;
    const newest = await newestVersions(db);
    const roots = Array.from(
      { length: newest.get('root')?.version ?? 0 },
      (_, at) => ['root', at + 1] as const,
    );
    const bins = [...new Set(paths.map(binOf))];
    const others = ['timestamp', 'snapshot', 'targets', ...bins].flatMap((role) => {
      const version = newest.get(role)?.version;
      return version === undefined ? [] : [[role, version] as const];
    });
    const documents: Record<string, string> = {};
    for (const [role, version] of [...roots, ...others]) {
      const found = await findDocument(db, role, version);
      const name = role === 'timestamp' ? 'timestamp.json' : `${String(version)}.${role}.json`;
      if (found) documents[name] = found.body.toString('base64');
    }
    return documents;
  }

  isNamed(path: string): Promise<boolean> {
    return isTarget(this.#host.db, path);
  }

  wantWithdrawal(actor: Actor, withdrawal: Rules['withdrawn'][number]): Promise<void> {
    return this.want(actor, ({ withdrawn }) => ({ withdrawn: [...withdrawn, withdrawal] }));
  }

  /** Names a package in the catalogue, in the transaction that publishes it: from then on helpdesks may install it. */
  async name(tx: Tx, target: Target): Promise<void> {
    await takeTurn(tx);
    await putTarget(tx, target, this.#host.clock.now());
    await this.#publish(tx, { bins: [binOf(target.path)] });
  }

  async unname(tx: Tx, path: string): Promise<void> {
    await takeTurn(tx);
    if (await deleteTarget(tx, path)) await this.#publish(tx, { bins: [binOf(path)] });
  }

  /** Signs anew what would soon be too old. */
  async renew(): Promise<void> {
    await this.#host.transaction(async (tx) => {
      await takeTurn(tx);
      await this.#publish(tx, {});
    });
  }

  /** The key for entitlement documents; null while no ceremony has named one. */
  async entitlementSigner(): Promise<Signer | null> {
    const now = await this.look();
    return now && (await this.#signer(this.#host.db, 'entitlements', now.rules.entitlements));
  }

  async #draft(
    tx: Tx,
    { keepers, rotate }: { keepers: string[] | null; rotate: boolean },
  ): Promise<Ceremony> {
    const now = this.#host.clock.now();
    const before = await this.look(tx);
    const root = await findDocument(tx, 'root');
    const people = keepers ?? (root ? keysIn(root.body, 'root') : []);
    if (new Set(people).size !== KEYS_OF_CEREMONY) throw new InvalidInputError('hub.trust-three-keys');
    const online = await this.#onlineKeys(tx, { rotate });
    const isRootDue =
      keepers !== null || rotate || !before || Date.parse(before.root.expires) - now < LIFE_MS.root / 2;
    const wanted = before ? (before.wanted ?? before.rules) : { ...noRules, ...(await wantedRules(tx)) };
    const entitlements = rotate || !before ? [online.entitlements] : before.rules.entitlements;
    return {
      format: 1,
      root: isRootDue
        ? rootDocument({ ceremony: people, ...online }, { version: (before?.root.version ?? 0) + 1, now })
        : null,
      targets: targetsDocument(
        { catalogue: online.catalogue, rules: { ...wanted, entitlements } },
        { version: (before?.targets.version ?? 0) + 1, now },
      ),
    };
  }

  /** The public halves of the hub's own keys: the newest of each role, or new ones. */
  async #onlineKeys(
    tx: Tx,
    { rotate }: { rotate: boolean },
  ): Promise<Record<(typeof ONLINE)[number], string>> {
    const known = await listSigners(tx);
    const found = {} as Record<(typeof ONLINE)[number], string>;
    for (const role of ONLINE) {
      const newest = rotate ? undefined : known.find((one) => one.role === role);
      found[role] = newest?.publicKey ?? (await this.#newOnlineKey(tx, role));
    }
    return found;
  }

  async #newOnlineKey(tx: Tx, role: OnlineRole): Promise<string> {
    const { id, publicKey, pem } = newSigner();
    const { keyId, nonce, ciphertext } = this.#host.keys.seal(pem, contextOf(id));
    await insertSigner(tx, {
      id,
      role,
      publicKey,
      boxText: ciphertext,
      boxNonce: nonce,
      boxKey: keyId,
      madeAt: this.#host.clock.now(),
    });
    return publicKey;
  }

  async #take(tx: Tx, { root, targets }: Ceremony): Promise<void> {
    const [oldRoot, oldTargets] = [await findDocument(tx, 'root'), await findDocument(tx, 'targets')];
    const newRoot = root ?? (oldRoot && (jsonOf(oldRoot.body) as Json));
    if (!newRoot) throw new InvalidInputError('hub.trust-not-a-ceremony');
    try {
      if (root) assertSigned('root', root, oldRoot ? (jsonOf(oldRoot.body) as Json) : root);
      assertSigned('targets', targets, newRoot);
    } catch (cause) {
      throw new InvalidInputError('hub.trust-not-signed', { cause });
    }
    const versions = {
      root: root && signedRoot.parse(root).signed.version,
      targets: signedTargets.parse(targets).signed.version,
    };
    const isNext =
      (versions.root === null || versions.root === (oldRoot?.version ?? 0) + 1) &&
      versions.targets === (oldTargets?.version ?? 0) + 1;
    if (!isNext) throw new ConflictError('hub.trust-other-ceremony');
    const signedAt = this.#host.clock.now();
    if (root && versions.root !== null)
      await insertDocument(tx, { role: 'root', version: versions.root, body: bodyOf(root), signedAt });
    await insertDocument(tx, { role: 'targets', version: versions.targets, body: bodyOf(targets), signedAt });
    await wantRules(tx, {});
    const { keys } = signedTargets.parse(targets).signed.delegations;
    const online = Object.values(keys).map(({ keyval }) => keyval.public);
    const { entitlements } = signedTargets.parse(targets).signed.latchkey;
    const top = ['snapshot', 'timestamp'].flatMap((role) => keysIn(bodyOf(newRoot), role));
    await deleteSignersExcept(tx, [...online, ...entitlements, ...top]);
  }

  /** Bins that changed or grow old, then what stands above them. */
  async #publish(
    tx: Tx,
    { bins = [], isAnew = false }: { bins?: string[]; isAnew?: boolean },
  ): Promise<void> {
    const [root, targets] = [await findDocument(tx, 'root'), await findDocument(tx, 'targets')];
    if (!root || !targets) return;
    const now = this.#host.clock.now();
    const newest = await newestVersions(tx);
    const isOld = (role: string, lifeMs: number): boolean =>
      now - (newest.get(role)?.signedAt ?? 0) > lifeMs / 2;
    const catalogue = keysInTargets(targets.body);
    const due = new Set(bins);
    for (const bin of await listBins(tx)) if (isAnew || isOld(bin, LIFE_MS.bin)) due.add(bin);
    for (const bin of due) {
      const version = (newest.get(bin)?.version ?? 0) + 1;
      const document = binDocument(await listTargets(tx, bin), { version, now });
      await this.#write(tx, {
        role: bin,
        kind: 'targets',
        document,
        version,
        by: catalogue,
        as: 'catalogue',
      });
      newest.set(bin, { version, signedAt: now });
    }
    const isSnapshotDue =
      isAnew ||
      due.size > 0 ||
      isOld('snapshot', LIFE_MS.snapshot) ||
      (await this.#lags(tx, targets.version));
    if (isSnapshotDue) await this.#snapshot(tx, newest, { root: root.body, targets: targets.version });
    if (isSnapshotDue || isOld('timestamp', LIFE_MS.timestamp)) await this.#timestamp(tx, root.body);
  }

  async #lags(tx: Tx, targets: number): Promise<boolean> {
    const snapshot = await findDocument(tx, 'snapshot');
    if (!snapshot) return true;
    const { signed: of } = jsonOf(snapshot.body) as {
      signed: { meta: Record<string, { version: number } | undefined> };
    };
    return of.meta['targets.json']?.version !== targets;
  }

  async #snapshot(
    tx: Tx,
    newest: ReadonlyMap<string, { version: number }>,
    { root, targets }: { root: Buffer; targets: number },
  ): Promise<void> {
    const bins = [...newest]
      .filter(([role]) => role.startsWith('bin-'))
      .map(([role, { version }]) => [role, version] as const);
    const version = (newest.get('snapshot')?.version ?? 0) + 1;
    const document = snapshotDocument(new Map([['targets', targets], ...bins]), {
      version,
      now: this.#host.clock.now(),
    });
    const by = keysIn(root, 'snapshot');
    await this.#write(tx, { role: 'snapshot', kind: 'snapshot', document, version, by, as: 'snapshot' });
  }

  async #timestamp(tx: Tx, root: Buffer): Promise<void> {
    const snapshot = await findDocument(tx, 'snapshot');
    if (!snapshot) return;
    const before = await findDocument(tx, 'timestamp');
    const version = (before?.version ?? 0) + 1;
    const document = timestampDocument(snapshot, { version, now: this.#host.clock.now() });
    const by = keysIn(root, 'timestamp');
    await this.#write(tx, { role: 'timestamp', kind: 'timestamp', document, version, by, as: 'timestamp' });
  }

  async #write(
    tx: Tx,
    {
      role,
      kind,
      document,
      version,
      by,
      as,
    }: { role: string; kind: Kind; document: Json; version: number; by: readonly string[]; as: OnlineRole },
  ): Promise<void> {
    const signer = await this.#signer(tx, as, by);
    if (!signer) throw new ConflictError('hub.trust-key-missing', { params: { role: as } });
    const body = bodyOf(signed(kind, document, [signer]));
    await insertDocument(tx, { role, version, body, signedAt: this.#host.clock.now() });
    await deleteOldDocuments(tx, role, version - KEPT);
  }

  /** The hub's own key for a role, if the ceremony has named it. */
  async #signer(db: Queryable, role: OnlineRole, named: readonly string[]): Promise<Signer | null> {
    const key = (await listSigners(db)).find((one) => one.role === role && named.includes(one.publicKey));
    if (!key) return null;
    return signerFrom(this.#pemOf(key));
  }

  async #held(db: Queryable): Promise<StoredSigner | null> {
    return (await listSigners(db)).find(({ role }) => role === 'publisher') ?? null;
  }

  #pemOf({ id, boxKey, boxNonce, boxText }: StoredSigner): string {
    return this.#host.keys.open({ keyId: boxKey, nonce: boxNonce, ciphertext: boxText }, contextOf(id));
  }

  #assertMay(actor: Actor): void {
    if (!actor.can('network-hub.manage')) throw new ForbiddenError('forbidden');
  }
}

/** What a keeper does on their own machine. */
export function signCeremony({ root, targets }: Ceremony, pems: readonly string[]): Ceremony {
  const signers = pems.map(signerFrom);
  return {
    format: 1,
    root: root && signed('root', root, signers),
    targets: signed('targets', targets, signers),
  };
}

const noRules: Rules = { publishers: {}, entitlements: [], withdrawn: [] };
const contextOf = (id: string): string => `hub-trust-key|${id}`;

function jsonOf(body: Buffer | string): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return null;
  }
}

function keysIn(root: Buffer, role: string): string[] {
  const { signed: of } = signedRoot.parse(jsonOf(root));
  return (of.roles[role]?.keyids ?? []).flatMap((id) => of.keys[id]?.keyval.public ?? []);
}

const keysInTargets = (targets: Buffer): string[] =>
  Object.values(signedTargets.parse(jsonOf(targets)).signed.delegations.keys).map(
    ({ keyval }) => keyval.public,
  );
