import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, text } from '../db/table.ts';
import { keyIdOf, verifyList } from '../network/index.ts';
import type { Actor } from '../shared/actor.ts';
import { ForbiddenError, InvalidInputError } from '../shared/errors.ts';
import type { Ground } from './registries.ts';

/** A publisher whose signature an administrator believes. */
const publishers = defineTable('plugin_publisher', {
  keyId: text,
  name: text,
  publicKey: text,
  addedAt: instant,
  addedBy: text,
});
export type PublisherKey = ReturnType<typeof publishers.decode>;

/** What is known of who made a package: a hub has checked it, a believed key has signed it, or nobody knows. */
export interface Trust {
  trust: 'vouched' | 'signed' | 'unsigned';
  /** The publisher whose key holds; for what nobody here knows, the key that it names. */
  signedBy: string | null;
}

const signatureText = z.object({ keyId: z.string().max(64) });

interface Deps {
  ground: Pick<Ground, 'db' | 'clock' | 'audit'>;
}

/** Whose packages are taken without asking again. */
export class PublisherKeys {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor): Promise<PublisherKey[]> {
    assertMay(actor);
    return listPublishers(this.#deps.ground.db);
  }

  /** @throws {InvalidInputError} `plugin.publisher-key` when the text is no public key */
  async add(actor: Actor, { name, publicKey }: { name: string; publicKey: string }): Promise<PublisherKey> {
    assertMay(actor);
    const { db, clock, audit } = this.#deps.ground;
    const keyId = keyIdFrom(publicKey);
    const key = { keyId, name, publicKey: publicKey.trim(), addedAt: clock.now(), addedBy: actor.name };
    await db.transaction(async (tx) => {
      await insertPublisher(tx, key);
      const subject = { type: 'plugin', id: keyId, label: name };
      await audit.record(tx, actor, { action: 'plugin.publisher-trusted', subject });
    });
    return key;
  }

  /** What was installed with it stays; nothing more comes in by it. */
  async remove(actor: Actor, keyId: string): Promise<void> {
    assertMay(actor);
    const { db, audit } = this.#deps.ground;
    await db.transaction(async (tx) => {
      const known = (await listPublishers(tx)).find((key) => key.keyId === keyId);
      if (!known) return;
      await tx.knex(publishers.name).where({ key_id: keyId }).delete();
      const subject = { type: 'plugin', id: keyId, label: known.name };
      await audit.record(tx, actor, { action: 'plugin.publisher-distrusted', subject });
    });
  }

  /**
   * `list` is that of the files in the package, which was found to hold what it says.
   * @throws {InvalidInputError} `author.signature-wrong` when a key that is believed has not signed it: altered is another thing than
   * unknown
   */
  async judge(
    list: Buffer | null,
    signature: string | null,
    named: { id: string; version: string },
  ): Promise<Trust> {
    if (signature === null) return { trust: 'unsigned', signedBy: null };
    const keyId = keyIdIn(signature);
    const known = (await listPublishers(this.#deps.ground.db)).find((key) => key.keyId === keyId);
    if (!known) return { trust: 'unsigned', signedBy: keyId };
    const { id, version } = verifyList(list, { signature, publicKey: known.publicKey });
    if (id !== named.id || version !== named.version) throw new InvalidInputError('author.signature-wrong');
    return { trust: 'signed', signedBy: known.name };
  }
}

async function listPublishers(db: Queryable): Promise<PublisherKey[]> {
  return (await db.knex(publishers.name).orderBy('name')).map(publishers.decode);
}

/** Adding a key again gives it another name. */
async function insertPublisher(tx: Tx, key: PublisherKey): Promise<void> {
  await tx.knex(publishers.name).insert(publishers.encode(key)).onConflict('key_id').merge(['name']);
}

function keyIdIn(signature: string): string {
  try {
    return signatureText.parse(JSON.parse(signature)).keyId;
  } catch (cause) {
    throw new InvalidInputError('author.signature-wrong', { cause });
  }
}

function keyIdFrom(publicKey: string): string {
  try {
    return keyIdOf(createPublicKey(publicKey));
  } catch (cause) {
    throw new InvalidInputError('plugin.publisher-key', { cause });
  }
}

function assertMay(actor: Actor): void {
  if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
}
