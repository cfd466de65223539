import { createHash } from 'node:crypto';
import {
  Metadata,
  MetadataKind,
  Signature,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models';
import { keyIdOf, type Signer } from './signer.ts';

const DAY_MS = 86_400_000;
/** How long each document is good for; those that are signed here are renewed long before. */
export const LIFE_MS = {
  root: 365 * DAY_MS,
  targets: 90 * DAY_MS,
  bin: 30 * DAY_MS,
  snapshot: 7 * DAY_MS,
  timestamp: DAY_MS,
} as const;

/** 256 bins: ten thousand plugins with six versions each fit, at most 256 packages a bin (ruling 41). */
const BIN_BITS = 8;
const SPEC = '1.0.31';
const THRESHOLD = 2;

export type Kind = 'root' | 'targets' | 'snapshot' | 'timestamp';

/** Keys by what they may sign. */
export interface Keepers {
  /** Three people, two of whom sign root and targets. */
  ceremony: readonly string[];
  snapshot: string;
  timestamp: string;
}

/** What the ceremony says about the catalogue. */
export interface Rules {
  publishers: Record<string, string[]>;
  entitlements: string[];
  withdrawn: { plugin: string; versions?: string[]; reason: string }[];
}

export interface Target {
  path: string;
  length: number;
  sha256: string;
  custom: Record<string, unknown>;
}

type Json = Parameters<typeof Metadata.fromJSON>[1];
interface Dated {
  version: number;
  now: number;
}

export const rootDocument = (keepers: Keepers, { version, now }: Dated): Json =>
  unsigned(
    'root',
    LIFE_MS.root,
    { version, now },
    {
      consistent_snapshot: true,
      keys: keysOf([...keepers.ceremony, keepers.snapshot, keepers.timestamp]),
      roles: {
        root: { keyids: keepers.ceremony.map(keyIdOf), threshold: THRESHOLD },
        targets: { keyids: keepers.ceremony.map(keyIdOf), threshold: THRESHOLD },
        snapshot: { keyids: [keyIdOf(keepers.snapshot)], threshold: 1 },
        timestamp: { keyids: [keyIdOf(keepers.timestamp)], threshold: 1 },
      },
    },
  );

/** Names no package itself: the bins do, signed by the catalogue's online key. */
export const targetsDocument = (
  { catalogue, rules }: { catalogue: string; rules: Rules },
  { version, now }: Dated,
): Json =>
  unsigned(
    'targets',
    LIFE_MS.targets,
    { version, now },
    {
      targets: {},
      delegations: {
        keys: keysOf([catalogue]),
        succinct_roles: {
          keyids: [keyIdOf(catalogue)],
          threshold: 1,
          bit_length: BIN_BITS,
          name_prefix: 'bin',
        },
      },
      latchkey: { ...rules },
    },
  );

export const binDocument = (targets: readonly Target[], { version, now }: Dated): Json =>
  unsigned(
    'targets',
    LIFE_MS.bin,
    { version, now },
    {
      targets: Object.fromEntries(
        targets.map(({ path, length, sha256, custom }) => [path, { length, hashes: { sha256 }, custom }]),
      ),
    },
  );

export const snapshotDocument = (versions: ReadonlyMap<string, number>, { version, now }: Dated): Json =>
  unsigned(
    'snapshot',
    LIFE_MS.snapshot,
    { version, now },
    {
      meta: Object.fromEntries([...versions].map(([role, of]) => [`${role}.json`, { version: of }])),
    },
  );

export const timestampDocument = (
  snapshot: { version: number; body: Buffer },
  { version, now }: Dated,
): Json =>
  unsigned(
    'timestamp',
    LIFE_MS.timestamp,
    { version, now },
    {
      meta: {
        'snapshot.json': {
          version: snapshot.version,
          length: snapshot.body.length,
          hashes: { sha256: createHash('sha256').update(snapshot.body).digest('hex') },
        },
      },
    },
  );

/** Adds signatures; those that are there stay. */
export function signed(kind: Kind, document: Json, signers: readonly Signer[]): Json {
  const metadata = metadataOf(kind, document);
  for (const signer of signers)
    metadata.sign((data) => new Signature({ keyID: signer.id, sig: signer.sign(data).toString('hex') }));
  return metadata.toJSON();
}

export const bodyOf = (document: Json): Buffer => Buffer.from(JSON.stringify(document));

/** Whether enough of those who may have signed it. @throws when not */
export function assertSigned(kind: Kind, document: Json, by: Json): void {
  const root = Metadata.fromJSON(MetadataKind.Root, by);
  if (kind === 'root') {
    const next = Metadata.fromJSON(MetadataKind.Root, document);
    root.verifyDelegate('root', next);
    next.verifyDelegate('root', next);
  } else root.verifyDelegate(kind, metadataOf(kind, document));
}

/** The bin that names this path. */
export const binOf = (path: string): string =>
  `bin-${createHash('sha256')
    .update(path)
    .digest('hex')
    .slice(0, BIN_BITS / 4)}`;

/** What helpdesks know this hub by: the digest of its first root, byte for byte. */
export const fingerprintOf = (root: Buffer): string => createHash('sha256').update(root).digest('hex');

type AnyMetadata = Metadata<Root> | Metadata<Targets> | Metadata<Snapshot> | Metadata<Timestamp>;

// The overloads of `fromJSON` each know one kind only.
function metadataOf(kind: Kind, document: Json): AnyMetadata {
  if (kind === 'root') return Metadata.fromJSON(MetadataKind.Root, document);
  if (kind === 'targets') return Metadata.fromJSON(MetadataKind.Targets, document);
  if (kind === 'snapshot') return Metadata.fromJSON(MetadataKind.Snapshot, document);
  return Metadata.fromJSON(MetadataKind.Timestamp, document);
}

const unsigned = (type: Kind, lifeMs: number, { version, now }: Dated, content: object): Json => ({
  signed: { _type: type, spec_version: SPEC, version, expires: secondsOf(now + lifeMs), ...content },
  signatures: [],
});

const keysOf = (publicKeys: readonly string[]): object =>
  Object.fromEntries(
    publicKeys.map((key) => [
      keyIdOf(key),
      { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: key } },
    ]),
  );

const secondsOf = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
