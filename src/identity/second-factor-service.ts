import { randomInt } from 'node:crypto';
import * as OTPAuth from 'otpauth';
import type { AuditService } from '../audit/index.ts';
import { digestOf } from '../crypto/digest.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { boxOf, type SealedColumns } from '../crypto/sealed-columns.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, InvalidInputError } from '../shared/errors.ts';
import type { Directory } from './directory.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import {
  confirmFactor,
  countRecoveryCodes,
  deleteSecondFactor,
  findSecondFactor,
  hasSecondFactor,
  putUnconfirmedFactor,
  replaceRecoveryCodes,
  useRecoveryCode,
  useStep,
  type SecondFactor,
} from './second-factor-repository.ts';
import type { User } from './user.ts';
import { subjectOf } from './user-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
  keys: KeyRing;
}

const PERIOD_SECONDS = 30;
const WINDOW = 1;
const RECOVERY_CODES = 10;
/** Sixteen of thirty-two symbols: 80 bits. */
const RECOVERY_SYMBOLS = 16;
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export interface Enrolment {
  /** `otpauth://totp/…`, for the picture. */
  uri: string;
  /** For typing. */
  secret: string;
}

/** Codes of an app on the phone (RFC 6238), beside the password. */
export class SecondFactorService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async isOnFor(userId: string): Promise<boolean> {
    return hasSecondFactor(this.#deps.db, userId);
  }

  async recoveryCodesLeft(userId: string): Promise<number> {
    return countRecoveryCodes(this.#deps.db, userId);
  }

  /** A secret to be scanned; not in force before a first code confirms it. The same one until then, so that reloading the page does no harm. */
  async enrol(user: User): Promise<Enrolment> {
    const { db, clock, keys } = this.#deps;
    const known = await findSecondFactor(db, user.id);
    if (known && known.confirmedAt !== null) throw new ConflictError('second-factor.on-already');
    if (known) return this.#enrolment(user, this.#secretIn(known));
    const secret = new OTPAuth.Secret({ size: 20 });
    await db.transaction((tx) =>
      putUnconfirmedFactor(tx, user.id, keys.seal(secret.base32, contextOf(user.id)), clock.now()),
    );
    return this.#enrolment(user, secret.base32);
  }

  /** Turns it on. The recovery codes are shown this once. */
  async turnOn(actor: Actor, user: User, code: string): Promise<string[]> {
    const { db } = this.#deps;
    const step = await this.#stepOf(user.id, code);
    if (step === null) throw wrongCode();
    const codes = newRecoveryCodes();
    await db.transaction(async (tx) => {
      if (!(await useStep(tx, user.id, step))) throw wrongCode();
      if (!(await confirmFactor(tx, user.id, this.#deps.clock.now())))
        throw new ConflictError('second-factor.on-already');
      await replaceRecoveryCodes(tx, user.id, codes.map(recoveryDigest));
      await this.#record(tx, actor, user, 'user.second-factor-on');
    });
    return codes;
  }

  /** The first code of somebody who may not come in without a second factor; their recovery codes they make afterwards. */
  async confirmFirst(user: User, code: string): Promise<boolean> {
    const { db, clock, directory } = this.#deps;
    const step = await this.#stepOf(user.id, code);
    if (step === null) return false;
    const actor = await directory.actorOf(user);
    return db.transaction(async (tx) => {
      if (!(await useStep(tx, user.id, step))) return false;
      await confirmFactor(tx, user.id, clock.now());
      await this.#record(tx, actor, user, 'user.second-factor-on');
      return true;
    });
  }

  /** Whether `code` is right now, and has not been used: one of the app's, or a recovery code, which is spent. */
  async accepts(user: User, code: string): Promise<boolean> {
    const { db, clock } = this.#deps;
    const step = await this.#stepOf(user.id, code);
    if (step !== null) return db.transaction((tx) => useStep(tx, user.id, step));
    const symbols = recoverySymbols(code);
    if (symbols === null) return false;
    return db.transaction((tx) => useRecoveryCode(tx, user.id, recoveryDigest(symbols), clock.now()));
  }

  async renewRecoveryCodes(actor: Actor, user: User): Promise<string[]> {
    const { db } = this.#deps;
    if (!(await this.isOnFor(user.id))) throw new ConflictError('second-factor.off');
    const codes = newRecoveryCodes();
    await db.transaction(async (tx) => {
      await replaceRecoveryCodes(tx, user.id, codes.map(recoveryDigest));
      await this.#record(tx, actor, user, 'user.recovery-codes-renewed');
    });
    return codes;
  }

  async turnOff(actor: Actor, user: User): Promise<void> {
    await this.#deps.db.transaction(async (tx) => {
      if (await deleteSecondFactor(tx, user.id))
        await this.#record(tx, actor, user, 'user.second-factor-off');
    });
  }

  /** The step of time that `code` belongs to; null when it belongs to none near now. */
  async #stepOf(userId: string, code: string): Promise<number | null> {
    const { db, clock } = this.#deps;
    const digits = code.replace(/\s/g, '');
    const factor = await findSecondFactor(db, userId);
    if (!factor || !/^\d{6}$/.test(digits)) return null;
    const totp = new OTPAuth.TOTP({
      secret: OTPAuth.Secret.fromBase32(this.#secretIn(factor)),
      period: PERIOD_SECONDS,
    });
    const timestamp = clock.now();
    const delta = totp.validate({ token: digits, timestamp, window: WINDOW });
    return delta === null ? null : Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta;
  }

  /** What lies sealed, for whoever tries all of it. */
  sealed(): SealedColumns[] {
    const columns = { ciphertext: 'ciphertext', nonce: 'nonce', keyId: 'key_id' };
    return [
      {
        table: 'second_factors',
        id: 'user_id',
        keys: this.#deps.keys,
        boxOf: (row) => boxOf(row, columns),
        contextOf: (row) => contextOf(String(row['user_id'])),
      },
    ];
  }

  #secretIn({ userId, keyId, nonce, ciphertext }: SecondFactor): string {
    return this.#deps.keys.open({ keyId, nonce, ciphertext }, contextOf(userId));
  }

  async #enrolment(user: User, secret: string): Promise<Enrolment> {
    const { tree } = await this.#deps.directory.snapshot();
    const issuer = (tree.get(ROOT_ENTITY_ID)?.name ?? 'Latchkey').replaceAll(':', ' ');
    const totp = new OTPAuth.TOTP({
      issuer,
      label: user.email,
      secret: OTPAuth.Secret.fromBase32(secret),
      period: PERIOD_SECONDS,
    });
    return { uri: totp.toString(), secret };
  }

  async #record(tx: Tx, actor: Actor, user: User, action: string): Promise<void> {
    await this.#deps.audit.record(tx, actor, { action, subject: subjectOf(user) });
  }
}

const contextOf = (userId: string): string => `second_factors|secret|${userId}`;

const wrongCode = (): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field: 'code', code: 'sign-in.wrong-code' }] });

const newRecoveryCodes = (): string[] =>
  Array.from({ length: RECOVERY_CODES }, () =>
    Array.from({ length: RECOVERY_SYMBOLS }, () => SYMBOLS.charAt(randomInt(SYMBOLS.length))).join(''),
  );

function recoverySymbols(typed: string): string | null {
  const symbols = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return symbols.length === RECOVERY_SYMBOLS ? symbols : null;
}

const recoveryDigest = (symbols: string): Buffer => digestOf(`recovery|${symbols}`);
