import type { AuditService } from '../audit/index.ts';
import { packBox, unpackBox } from '../crypto/secret-box.ts';
import type { SealedColumns } from '../crypto/sealed-columns.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Database, Tx } from '../db/database.ts';
import { bumpVersion } from '../db/versions.ts';
import type { Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, InvalidInputError } from '../shared/errors.ts';
import type { SettingToken } from './setting.ts';
import { settingMayChange } from './setting-hooks.ts';
import {
  findSetting,
  listSettings,
  putSetting,
  putSettingOnce,
  type StoredSetting,
} from './setting-repository.ts';

/** The version row that moves when a setting changes. */
export const SETTINGS_VERSION = 'settings';

interface Deps {
  db: Database;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  hooks?: Pick<Hooks, 'veto'>;
  /** Seals secrets; purpose `settings`. */
  keys: KeyRing;
}

export interface Change {
  token: SettingToken<unknown>;
  value: unknown;
}

/** What the house is set to. Kept in memory; `forget` when the version row has moved. */
export class SettingsService {
  readonly #deps: Deps;
  #known: Promise<ReadonlyMap<string, StoredSetting>> | null = null;
  #loaded: ReadonlyMap<string, StoredSetting> | null = null;
  readonly #parsed = new WeakMap<object, { stored: StoredSetting; value: unknown }>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async get<T>(token: SettingToken<T>): Promise<T> {
    const stored = (await this.#all()).get(token.id);
    return stored ? this.#readOnce(token, stored) : token.default;
  }

  /**
   * Inside a transaction: what is not known yet is read through its own connection. Ten transactions that wait for an eleventh
   * connection would wait for each other.
   */
  async getIn<T>(tx: Tx, token: SettingToken<T>): Promise<T> {
    const stored = this.#loaded ? this.#loaded.get(token.id) : await findSetting(tx, token.id);
    return stored ? this.#readOnce(token, stored) : token.default;
  }

  /** What follows from settings alone, made again when one of them has changed. */
  remember<T>(make: () => Promise<T>): () => Promise<T> {
    let made: { from: Promise<unknown>; value: Promise<T> } | null = null;
    return () => {
      const from = this.#all();
      if (made?.from !== from) made = { from, value: make() };
      return made.value;
    };
  }

  /** Whether anybody has ever said something, for secrets, whose value is not shown. */
  async isSet(token: SettingToken<unknown>): Promise<boolean> {
    return (await this.#all()).has(token.id);
  }

  /** What an administrator has changed on the settings page. */
  async change(actor: Actor, changes: readonly Change[]): Promise<void> {
    if (!actor.can('settings.manage')) throw new ForbiddenError('forbidden');
    for (const { token } of changes)
      await this.#deps.hooks?.veto(settingMayChange, { setting: token.id, actorId: actor.userId });
    await this.#deps.db.transaction(async (tx) => {
      for (const { token, value } of changes) await this.set(tx, actor, token, value);
    });
  }

  /** Writes it with an audit line; other processes see it within two seconds. */
  async set<T>(tx: Tx, actor: Actor, token: SettingToken<T>, value: T): Promise<void> {
    const stored = await findSetting(tx, token.id);
    const before = stored ? this.#read(token, stored) : token.default;
    if (JSON.stringify(before) === JSON.stringify(value)) return;
    await putSetting(tx, this.#stored(actor, token, value));
    await this.#tell(tx, actor, token, { before, after: value });
  }

  /** Writes what is written only once in the life of a house; says whether this was the time. */
  async setOnce<T>(tx: Tx, actor: Actor, token: SettingToken<T>, value: T): Promise<boolean> {
    if (!(await putSettingOnce(tx, this.#stored(actor, token, value)))) return false;
    await this.#tell(tx, actor, token, { before: token.default, after: value });
    return true;
  }

  /** Another process has changed something. */
  forget(): void {
    this.#known = null;
    this.#loaded = null;
  }

  #all(): Promise<ReadonlyMap<string, StoredSetting>> {
    if (this.#known) return this.#known;
    const known = listSettings(this.#deps.db).then(
      (all) => {
        const loaded = new Map(all.map((setting) => [setting.id, setting]));
        if (this.#known === known) this.#loaded = loaded;
        return loaded;
      },
      (error: unknown) => {
        this.#known = null;
        throw error;
      },
    );
    this.#known = known;
    return known;
  }

  /** What lies sealed, for whoever tries all of it. */
  sealed(): SealedColumns[] {
    return [
      {
        table: 'setting',
        id: 'id',
        keys: this.#deps.keys,
        boxOf: ({ value, key_id: keyId }) =>
          keyId === null
            ? null
            : { keyId: Number(keyId), ...unpackBox(Buffer.from(String(value), 'base64')) },
        contextOf: ({ id }) => contextOf({ id: String(id) }),
      },
    ];
  }

  /** Every page asks for a few settings; parsing one costs more than the rest of the page. */
  #readOnce<T>(token: SettingToken<T>, stored: StoredSetting): T {
    const known = this.#parsed.get(token);
    if (known?.stored === stored) return known.value as T;
    const value = this.#read(token, stored);
    this.#parsed.set(token, { stored, value });
    return value;
  }

  /** What no longer fits its schema, after an update say, counts as not set. */
  #read<T>(token: SettingToken<T>, { value, keyId }: StoredSetting): T {
    const opened =
      keyId === null
        ? value
        : this.#deps.keys.open({ keyId, ...unpackBox(Buffer.from(value, 'base64')) }, contextOf(token));
    const parsed = token.schema.safeParse(JSON.parse(opened));
    return parsed.success ? parsed.data : token.default;
  }

  #stored<T>(actor: Actor, token: SettingToken<T>, value: T): StoredSetting {
    const parsed = token.schema.safeParse(value);
    if (!parsed.success) {
      throw new InvalidInputError('setting.invalid', { cause: parsed.error, params: { setting: token.id } });
    }
    const about = { id: token.id, updatedAt: this.#deps.clock.now(), updatedBy: actor.userId };
    const plain = JSON.stringify(parsed.data);
    if (!token.secret) return { ...about, value: plain, keyId: null };
    const { keyId, ...box } = this.#deps.keys.seal(plain, contextOf(token));
    return { ...about, value: packBox(box).toString('base64'), keyId };
  }

  async #tell<T>(
    tx: Tx,
    actor: Actor,
    token: SettingToken<T>,
    { before, after }: { before: T; after: T },
  ): Promise<void> {
    const shown = (value: T): Record<string, unknown> => ({ value: token.secret ? '•••' : value });
    await this.#deps.audit.record(tx, actor, {
      action: 'setting.changed',
      subject: { type: 'setting', id: token.id, label: token.id },
      before: shown(before),
      after: shown(after),
    });
    await bumpVersion(tx, SETTINGS_VERSION);
    tx.onCommit(() => {
      this.forget();
    });
  }
}

const contextOf = ({ id }: { id: string }): string => `setting|${id}`;
