import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';

/** Where a package lists its files, with the digest of each. */
export const FILE_LIST = 'files.json';

const MOST_BYTES = 128 * 1024 * 1024;

const listSchema = z.object({
  id: z.string(),
  version: z.string(),
  files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string() })),
});

const signatureSchema = z.object({
  format: z.literal(1),
  algorithm: z.literal('ed25519'),
  keyId: z.string(),
  signature: z.base64(),
});

export interface Signed {
  id: string;
  version: string;
  keyId: string;
}

/** A pair as two PEM texts; the private one is the publisher's alone. */
export function newKeyPair(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** Signs the list of files, which holds the digest of each: the text for `<package>.sig`. */
export async function signPackage(
  packed: Uint8Array,
  privateKey: string,
): Promise<Signed & { text: string }> {
  const { list, facts } = await openPackage(packed);
  const key = keyFrom(privateKey, createPrivateKey);
  const keyId = keyIdOf(createPublicKey(key));
  const signature = sign(null, list, key).toString('base64');
  const text = `${JSON.stringify({ format: 1, algorithm: 'ed25519', keyId, signature }, null, 2)}\n`;
  return { id: facts.id, version: facts.version, keyId, text };
}

interface Signature {
  signature: string;
  publicKey: string;
}

/** @throws {InvalidInputError} when a file is not what the list says, or the list not what this key has signed */
export async function verifyPackage(packed: Uint8Array, by: Signature): Promise<Signed> {
  return verifyList((await openPackage(packed)).list, by);
}

/**
 * The same for a package that has been unpacked and holds what its list says.
 * @throws {InvalidInputError} when it has no list, or one that this key has not signed
 */
export function verifyList(list: Buffer | null, { signature, publicKey }: Signature): Signed {
  if (!list) throw broken(FILE_LIST);
  const facts = factsFrom(list);
  const key = keyFrom(publicKey, createPublicKey);
  const signed = signatureFrom(signature);
  const keyId = keyIdOf(key);
  if (signed.keyId !== keyId)
    throw new InvalidInputError('author.other-key', { params: { signed: signed.keyId, given: keyId } });
  if (!verify(null, list, key, Buffer.from(signed.signature, 'base64')))
    throw new InvalidInputError('author.signature-wrong');
  return { id: facts.id, version: facts.version, keyId };
}

interface Opened {
  list: Buffer;
  facts: z.output<typeof listSchema>;
}

/** Unpacks in memory and compares every file with the list. */
async function openPackage(packed: Uint8Array): Promise<Opened> {
  const files = await filesIn(packed);
  const list = files.get(FILE_LIST);
  if (!list) throw broken(FILE_LIST);
  const facts = factsFrom(list);
  const listed = new Map(facts.files.map(({ path, sha256 }) => [path, sha256]));
  for (const path of new Set([...listed.keys(), ...files.keys()].filter((name) => name !== FILE_LIST))) {
    const content = files.get(path);
    if (!content || sha256Of(content) !== listed.get(path)) throw broken(path);
  }
  return { list, facts };
}

async function filesIn(packed: Uint8Array): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const unpacking = extract();
  try {
    Readable.from([gunzipSync(packed, { maxOutputLength: MOST_BYTES })]).pipe(unpacking);
    for await (const entry of unpacking) {
      const { name, type } = entry.header;
      if (type !== 'file' || files.has(name)) throw broken(name);
      files.set(name, await buffer(entry));
    }
    return files;
  } catch (error) {
    throw error instanceof InvalidInputError ? error : broken('archive', error);
  }
}

function factsFrom(list: Buffer): z.output<typeof listSchema> {
  try {
    return listSchema.parse(JSON.parse(list.toString('utf8')));
  } catch (error) {
    throw broken(FILE_LIST, error);
  }
}

function signatureFrom(text: string): z.output<typeof signatureSchema> {
  try {
    return signatureSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new InvalidInputError('author.signature-unreadable', { cause });
  }
}

function keyFrom<K extends { asymmetricKeyType?: string | undefined }>(
  pem: string,
  read: (pem: string) => K,
): K {
  try {
    const key = read(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new InvalidInputError('author.key-unreadable', { cause });
  }
  throw new InvalidInputError('author.key-unreadable');
}

/** Sixteen characters that people can compare. */
/** What a key is called: the beginning of the digest of its public half. */
export const keyIdOf = (key: ReturnType<typeof createPublicKey>): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const broken = (file: string, cause?: unknown): InvalidInputError =>
  new InvalidInputError('author.package-broken', { cause, params: { file } });
