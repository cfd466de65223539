import {
  InvalidInputError,
  TooManyError,
  UnavailableError,
  system,
  type Host,
  type Limit,
  type PersonFacts,
} from 'latchkey/plugin-api';
import type { Authority, Giver } from '../keys/authority.ts';
import type { Evidence } from '../guard/evidence.ts';
import { keyChanged, keyRefused } from '../hooks.ts';
import type { InvitationKey, PauseReason } from '../keys/invitation-key.ts';
import type { JoinMails } from './join-mails.ts';
import { findKeysOwnedBy, moveKey } from '../keys/key-repository.ts';
import { factsOf, subjectOf } from '../keys/key-service.ts';

/** The tenth failure within an hour locks a key that can be guessed. */
const WRONG_ON_WEAK: Limit = { name: 'weak-key', points: 9, perSeconds: 3600 };

interface Deps {
  host: Host;
  authority: Authority;
  mails: JoinMails;
  evidence: Evidence;
}

/** Closes a key by itself where nobody may answer for it any more, and tells its owner. */
export class KeyCare {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** In whose name people are let in. Without such a person the key pauses, and this newcomer hears that it did. */
  async giverOf(key: InvitationKey): Promise<Giver> {
    const giver = await this.#deps.authority.giverOf(key);
    if (typeof giver !== 'string') return giver;
    await this.pause(key, giver);
    throw new UnavailableError('invitation.paused', { retryAfter: 3600 });
  }

  /** After somebody lost rights, or the account: their keys are asked once more, without waiting for a newcomer. */
  async lookAfter(ownerId: string): Promise<void> {
    for (const key of await findKeysOwnedBy(this.#deps.host.db, ownerId)) {
      const giver = await this.#deps.authority.giverOf(key);
      if (typeof giver === 'string' && key.pausedAt === null) await this.pause(key, giver);
    }
  }

  async pause(key: InvitationKey, reason: PauseReason): Promise<void> {
    const { host, mails } = this.#deps;
    const told = await this.#whoAnswersFor(key);
    await host.transaction(async (tx) => {
      const now = host.clock.now();
      const from = { revoked_at: 'unset', paused_at: 'unset' } as const;
      if (!(await moveKey(tx, key.id, from, { pausedAt: now, pausedReason: reason }, now))) return;
      await host.audit.record(tx, system, {
        action: 'invitation-key.paused',
        ...subjectOf(key),
        after: { reason },
      });
      await host.emit(
        tx,
        keyChanged,
        { key: factsOf(key), by: null, change: 'paused' },
        { aggregate: key.id },
      );
      await mails.keyPaused(tx, told, { key, reason });
    });
  }

  /** Its owner; where nobody owns it any more, everybody who manages keys there. */
  async #whoAnswersFor(key: InvitationKey): Promise<PersonFacts[]> {
    const { users } = this.#deps.host;
    const owner = key.ownerId === null ? null : await users.find(key.ownerId);
    if (owner?.status === 'active') return [owner];
    const keepers = await users.withRight('registration-key.manage', key.entityId);
    return keepers.filter(({ status }) => status === 'active');
  }

  /** Wrong addresses count against a key that can be guessed, and whoever guesses does not learn which would be right. */
  async assertAddressFits(key: InvitationKey, assert: () => void): Promise<void> {
    try {
      assert();
    } catch (error) {
      if (!key.weak || !(error instanceof InvalidInputError)) throw error;
      await this.countFailure(key);
      const code = 'invitation.wrong_address';
      throw new InvalidInputError(code, { fields: [{ field: 'email', code }], cause: error });
    }
  }

  /** Ten failures lock a key that can be guessed, and its owner is told. */
  async countFailure(key: InvitationKey): Promise<void> {
    if (key.weak) await this.#countWrong(key);
  }

  /** A refusal of a key that exists is on record: who was turned away by what, without a secret. */
  async recordRefusal(key: InvitationKey, reason: string, network: string): Promise<void> {
    const { host, evidence } = this.#deps;
    await host.transaction(async (tx) => {
      await host.audit.record(tx, system, {
        action: 'invitation-key.refused',
        ...subjectOf(key),
        after: { reason },
      });
      await evidence.refused(tx, key, { reason, network });
      await host.emit(tx, keyRefused, { key: factsOf(key), reason }, { aggregate: key.id });
    });
  }

  async #countWrong(key: InvitationKey): Promise<void> {
    try {
      await this.#deps.host.limits.count(WRONG_ON_WEAK, key.id);
    } catch (error) {
      if (!(error instanceof TooManyError)) throw error;
      await this.pause(key, 'locked');
    }
  }
}
