import { createSecretKey, randomBytes } from 'node:crypto';
import type { Database, Queryable, Tx } from '../db/database.ts';
import { bytes, defineTable, instant, text, whole } from '../db/table.ts';
import { bumpVersion } from '../db/versions.ts';
import { ConflictError, UnavailableError } from '../shared/errors.ts';
import { DatabaseKeyRing, LockedKeyRing, type PurposeKeys } from './database-key-ring.ts';
import {
  createKeyFile,
  newMaster,
  readKeyFile,
  readMasters,
  replaceKeyFile,
  type KeyFault,
  type Master,
} from './key-file.ts';
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

/** Five ways in which a master does not open a database; none of them loses or overwrites anything. */
export type LockReason =
  | KeyFault
  /** It is a key, and another one. */
  | 'wrong-key'
  /** It is the key, and what it wrapped was changed. */
  | 'damaged';

/** The master at hand does not open this database's keys. */
export interface Lock {
  reason: LockReason;
  /** Ids of the masters that would open it. */
  needs: string[];
  /** Ids of those that were handed in; none when there is no key at all. */
  has: string[];
}

/** Told where a rotation may be cut off; nobody listens but the test. */
type Rotating = (step: 'added' | 'rewrapped') => void;

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
  /** Null when the environment holds the key. */
  readonly #file: string | null;
  #masters: readonly Master[];
  readonly #rings = new Map<string, DatabaseKeyRing>();
  /** Null when all is well. */
  readonly lock: Lock | null;

  private constructor(
    db: Database,
    { file, masters, lock }: { file: string | null; masters: readonly Master[]; lock: Lock | null },
  ) {
    this.#db = db;
    this.#file = file;
    this.#masters = masters;
    this.lock = lock;
  }

  static async open({ db, key, keyFile }: Options): Promise<KeyStore> {
    const file = key === undefined ? keyFile : null;
    const isNew = (await findKeys(db, CANARY)).length === 0;
    let given = key === undefined ? await readKeyFile(keyFile) : readMasters(key);
    if (given === 'missing' && isNew) given = await createKeyFile(keyFile);
    const masters = typeof given === 'string' ? [] : given;
    const [wrapper] = masters;
    if (isNew && wrapper) await insertGeneration(db, { purpose: CANARY, generation: 1, master: wrapper });
    const lock = lockOf(await findKeys(db, CANARY), given);
    return new KeyStore(db, { file, masters, lock });
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

  /**
   * A new master takes over: it is written beside the old one first, then everything is wrapped again, then the old one goes. Whoever was
   * killed in between begins where they stood; until the last step both open everything.
   *
   * @throws {ConflictError} `secret.key-given` where the environment holds the master
   */
  async rotate(reached: Rotating = () => undefined): Promise<{ rewrapped: number; master: string }> {
    if (this.#file === null) throw new ConflictError('secret.key-given');
    if (this.#masters.length === 1) {
      const masters = [newMaster(), this.#wrapper()];
      await replaceKeyFile(this.#file, masters);
      this.#masters = masters;
    }
    reached('added');
    const rewrapped = await this.rewrap();
    reached('rewrapped');
    const master = this.#wrapper();
    await replaceKeyFile(this.#file, [master]);
    this.#masters = [master];
    return { rewrapped, master: master.id };
  }

  /** Every wrapped key, and whether it opens. */
  async examine(): Promise<{ purpose: string; generation: number; master: string; opens: boolean }[]> {
    const rows = await this.#db.knex(wrappedKeys.name).orderBy(['purpose', 'generation']);
    return rows.map(wrappedKeys.decode).map((row) => ({
      purpose: row.purpose,
      generation: row.generation,
      master: row.masterId,
      opens: doesOpen(row, this.#masters),
    }));
  }

  /** Reads again what another process may have added, be it a key or a master. */
  async reload(): Promise<void> {
    const masters = this.#file === null ? null : await readKeyFile(this.#file);
    if (Array.isArray(masters)) this.#masters = masters;
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

/** A canary that does not open, or whose master is not at hand, locks; so does a file that is there and says nothing. */
function lockOf(canary: readonly WrappedKey[], given: readonly Master[] | KeyFault): Lock | null {
  const needs = canary.map(({ masterId }) => masterId);
  if (typeof given === 'string') return { reason: given, needs, has: [] };
  const shut = canary.filter((row) => !doesOpen(row, given));
  if (shut.length === 0) return null;
  const has = given.map(({ id }) => id);
  return {
    reason: shut.some(({ masterId }) => has.includes(masterId)) ? 'damaged' : 'wrong-key',
    needs,
    has,
  };
}

function doesOpen(row: WrappedKey, masters: readonly Master[]): boolean {
  try {
    unwrap(row, masters);
    return true;
  } catch {
    return false;
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
