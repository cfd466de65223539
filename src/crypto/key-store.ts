import { createSecretKey, randomBytes } from 'node:crypto';
import type { Database, Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, instant, text, whole } from '../db/table.ts';
import { bumpVersion } from '../db/versions.ts';
import { UnavailableError } from '../shared/errors.ts';
import { DatabaseKeyRing, LockedKeyRing, type PurposeKeys } from './database-key-ring.ts';
import { createKeyFile, parseMasters, readKeyFile, type Master } from './key-file.ts';
import type { KeyRing } from './key-ring.ts';
import { openBox, packBox, sealBox, unpackBox } from './secret-box.ts';

const wrappedKeys = defineTable('wrapped_key', {
  purpose: text,
  generation: whole,
  masterId: text,
  wrapped: bytes,
  createdAt: instant,
});
type WrappedKey = ReturnType<typeof wrappedKeys.decode>;

/** The version row that moves when keys change. */
export const KEYS_VERSION = 'keys';

const CANARY = 'canary';
const KEY_BYTES = 32;

/** The master at hand is not the one that wrapped this database's keys. */
export interface Lock {
  /** Ids of the masters that would open it. */
  needs: string[];
  /** Ids of those that were handed in; none when there is no key at all. */
  has: string[];
}

interface Options {
  db: Database;
  /** `LATCHKEY_KEY`: one master or several, the first of which wraps. */
  key?: string | undefined;
  /** Where the master is read from, or made, when `key` is not given. */
  keyFile: string;
}

/**
 * Random keys by purpose, wrapped by a master that lives outside the database. A master is made only where no key was ever wrapped:
 * otherwise a lost key file would silently become a new one, and every secret unreadable.
 */
export class KeyStore {
  readonly #db: Database;
  readonly #masters: readonly Master[];
  readonly #rings = new Map<string, DatabaseKeyRing>();
  /** Null when all is well. */
  readonly lock: Lock | null;

  private constructor(db: Database, masters: readonly Master[], lock: Lock | null) {
    this.#db = db;
    this.#masters = masters;
    this.lock = lock;
  }

  static async open({ db, key, keyFile }: Options): Promise<KeyStore> {
    const canary = await findKeys(db, CANARY);
    const given = key === undefined ? await readKeyFile(keyFile) : parseMasters(key);
    const masters = given.length === 0 && canary.length === 0 ? await createKeyFile(keyFile) : given;
    const [wrapper] = masters;
    if (canary.length === 0 && wrapper)
      await insertGeneration(db, { purpose: CANARY, generation: 1, master: wrapper });
    return new KeyStore(db, masters, lockOf(await findKeys(db, CANARY), masters));
  }

  /** The keys of `purpose`, made at its first use. Hold on to the ring: it hears of new generations by itself. */
  async ring(purpose: string): Promise<KeyRing> {
    if (this.lock) return new LockedKeyRing();
    const known = this.#rings.get(purpose);
    if (known) return known;
    const ring = new DatabaseKeyRing(await this.#unwrapped(purpose));
    this.#rings.set(purpose, ring);
    return ring;
  }

  /** Adds a generation: from now on it digests and seals, while the older ones still verify and open. */
  async renew(purpose: string): Promise<void> {
    const [newest] = await this.#unwrapped(purpose);
    await insertGeneration(this.#db, { purpose, generation: newest.generation + 1, master: this.#wrapper() });
    await this.reload();
  }

  /** A new generation for every purpose that is in use. Answers how many there are. */
  async renewAll(): Promise<number> {
    const rows = await this.#db
      .knex(wrappedKeys.name)
      .whereNot({ purpose: CANARY })
      .distinct<{ purpose: string }[]>('purpose');
    for (const { purpose } of rows) await this.renew(purpose);
    return rows.length;
  }

  /** Wraps every key under the first master; after that the others may be taken away. Says how many changed. */
  async rewrap(): Promise<number> {
    const master = this.#wrapper();
    return this.#db.transaction(async (tx) => {
      const rows = await tx.knex(wrappedKeys.name).whereNot({ master_id: master.id });
      for (const row of rows.map(wrappedKeys.decode))
        await rewrapOne(tx, row, { from: this.#masters, to: master });
      if (rows.length > 0) await bumpVersion(tx, KEYS_VERSION);
      return rows.length;
    });
  }

  /** Reads again what another process may have added. */
  async reload(): Promise<void> {
    for (const [purpose, ring] of this.#rings) ring.replaceKeys(await this.#unwrapped(purpose));
  }

  #wrapper(): Master {
    const [wrapper] = this.#masters;
    if (!wrapper || this.lock) throw new UnavailableError('secret.locked');
    return wrapper;
  }

  async #unwrapped(purpose: string): Promise<readonly [PurposeKeys, ...PurposeKeys[]]> {
    const found = await findKeys(this.#db, purpose);
    const [newest, ...older] = found.map((row) => keysOf(row, this.#masters));
    if (newest) return [newest, ...older];
    await insertGeneration(this.#db, { purpose, generation: 1, master: this.#wrapper() });
    return this.#unwrapped(purpose);
  }
}

/** Two processes may add the same generation; the first stays and both read that one. */
async function insertGeneration(
  db: Database,
  { purpose, generation, master }: { purpose: string; generation: number; master: Master },
): Promise<void> {
  const pair = randomBytes(2 * KEY_BYTES);
  const row = {
    purpose,
    generation,
    masterId: master.id,
    wrapped: wrap(pair, { purpose, generation }, master),
  };
  await db.transaction(async (tx) => {
    await tx
      .knex(wrappedKeys.name)
      .insert(wrappedKeys.encode({ ...row, createdAt: Date.now() }))
      .onConflict(['purpose', 'generation'])
      .ignore();
    await bumpVersion(tx, KEYS_VERSION);
  });
}

async function rewrapOne(
  tx: Tx,
  row: WrappedKey,
  { from, to }: { from: readonly Master[]; to: Master },
): Promise<void> {
  const { purpose, generation, masterId } = row;
  await tx
    .knex(wrappedKeys.name)
    .where({ purpose, generation, master_id: masterId })
    .update(wrappedKeys.encode({ masterId: to.id, wrapped: wrap(unwrap(row, from), row, to) }));
}

async function findKeys(db: Queryable, purpose: string): Promise<WrappedKey[]> {
  const rows = await db.knex(wrappedKeys.name).where({ purpose }).orderBy('generation', 'desc');
  return rows.map(wrappedKeys.decode);
}

/** A canary that does not open, or whose master is not at hand, locks. */
function lockOf(canary: readonly WrappedKey[], masters: readonly Master[]): Lock | null {
  try {
    for (const row of canary) unwrap(row, masters);
    return null;
  } catch {
    return { needs: canary.map(({ masterId }) => masterId), has: masters.map(({ id }) => id) };
  }
}

function keysOf(row: WrappedKey, masters: readonly Master[]): PurposeKeys {
  const pair = unwrap(row, masters);
  return {
    generation: row.generation,
    mac: createSecretKey(pair.subarray(0, KEY_BYTES)),
    seal: createSecretKey(pair.subarray(KEY_BYTES)),
  };
}

const contextOf = ({ purpose, generation }: { purpose: string; generation: number }): string =>
  `wrapped_key|${purpose}|${String(generation)}`;

const wrap = (pair: Buffer, of: { purpose: string; generation: number }, master: Master): Buffer =>
  packBox(sealBox(createSecretKey(master.bytes), pair, contextOf(of)));

function unwrap(row: WrappedKey, masters: readonly Master[]): Buffer {
  const master = masters.find(({ id }) => id === row.masterId);
  if (!master) throw new UnavailableError('secret.locked', { params: { needs: row.masterId } });
  return openBox(createSecretKey(master.bytes), unpackBox(row.wrapped), contextOf(row));
}
