import {
  ConflictError,
  GoneError,
  InvalidInputError,
  KnownError,
  NotFoundError,
  type Actor,
  type Host,
  type Limit,
} from 'latchkey/plugin-api';
import { isUnder, normaliseAddress } from '../keys/address.ts';
import {
  eraseDrafts,
  findAttempt,
  findAttemptByLink,
  findAttemptOfBrowser,
  keepAttempt,
  readSecrets,
  renewProofs,
  replaceDraft,
  spendTry,
  type AttemptSecrets,
} from '../seats/attempt-repository.ts';
import { needsApproval, type InvitationKey } from '../keys/invitation-key.ts';
import type { JoinMails } from '../seats/join-mails.ts';
import type { KeyCare } from '../seats/key-care.ts';
import { copyOfSeat, seenThrough } from '../copies/copy-repository.ts';
import { findKey, touchOpen } from '../keys/key-repository.ts';
import { assertMayManage } from '../keys/key-policy.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { Newcomers } from './newcomers.ts';
import type { ProofBox } from '../seats/proofs.ts';
import {
  accessOf,
  CODE_LIFE_MS,
  type Attempt,
  type NewcomerDraft,
  type Redemption,
} from '../seats/redemption.ts';
import { findRedemption, moveRedemption } from '../seats/redemption-repository.ts';
import { assertLocalSignIn, refusalOf } from '../seats/refusal.ts';
import type { SeatLine } from './seat-line.ts';
import type { SeatSweeper } from './seat-sweeper.ts';

/** Wrong codes count, right ones never. */
const WRONG_CODES: Limit = { name: 'redeem-failed', points: 20, perSeconds: 3600 };
const RESENDING: Limit = { name: 'resend', points: 6, perSeconds: 3600 };
const FIRST_PAUSE_MS = 60_000;
const LATER_PAUSE_MS = 300_000;
const YEAR_MS = 365 * 24 * 3_600_000;

interface Deps {
  host: Host;
  proofs: ProofBox;
  mails: JoinMails;
  care: KeyCare;
  line: SeatLine;
  newcomers: Newcomers;
  sweeper: SeatSweeper;
}

export type Confirmed =
  { status: 'active'; userId: string; landing: string } | { status: 'pending_approval'; landing: string };

/** An attempt as its own browser may see it. */
export interface Waiting {
  attempt: Attempt;
  key: InvitationKey;
  redemption: Redemption | null;
  email: string;
  /** From then on a new mail may be asked for. */
  resendAt: number;
}

export interface LinkState {
  attempt: Attempt;
  key: InvitationKey;
  email: string;
  name: string;
  /** Opened where the form was filled in: the password typed there counts. */
  isOwnBrowser: boolean;
}

/** From a held seat to an account: by the six digits in the same browser, by the link anywhere, or by an administrator's hand. */
export class ConfirmService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What this browser is waiting for with this key. */
  async waiting(keyId: string, browser: string): Promise<Waiting | null> {
    const { host, proofs } = this.#deps;
    const attempt = await findAttemptOfBrowser(host.db, keyId, proofs.browsers(browser));
    const key = attempt === null ? null : await findKey(host.db, keyId);
    const secrets = attempt === null ? null : await readSecrets(host.db, attempt.id);
    if (attempt === null || key === null || secrets === null) return null;
    const redemption =
      attempt.redemptionId === null ? null : await findRedemption(host.db, attempt.redemptionId);
    return {
      attempt,
      key,
      redemption,
      email: this.#draftOf(attempt, secrets)?.email ?? '',
      resendAt: resendAt(attempt),
    };
  }

  /** Five tries, counted before they are compared; then only a new mail helps. */
  async byCode(keyId: string, browser: string, typed: string, network: string): Promise<Confirmed> {
    const { host, proofs } = this.#deps;
    const waiting = await this.waiting(keyId, browser);
    if (waiting === null) throw new NotFoundError('invitation.nothing_waits');
    await host.limits.check(WRONG_CODES, network);
    const { attempt } = waiting;
    const hasTry = await host.transaction((tx) => spendTry(tx, attempt.id, host.clock.now()));
    if (!hasTry)
      throw new GoneError('invitation.code_spent', {
        fields: [{ field: 'code', code: 'invitation.code_spent' }],
      });
    const secrets = await readSecrets(host.db, attempt.id);
    if (
      secrets === null ||
      !proofs.isCode(attempt.id, secrets.codeDigest, typed) ||
      attempt.redemptionId === null
    ) {
      await host.limits.count(WRONG_CODES, network);
      await this.#deps.care.countFailure(waiting.key);
      throw new InvalidInputError('invitation.wrong_code', {
        fields: [{ field: 'code', code: 'invitation.wrong_code' }],
      });
    }
    return this.#confirm(attempt, secrets, { network });
  }

  /** What a confirmation link is for; looking changes nothing. */
  async look(token: string, browser: string | null): Promise<LinkState> {
    const { host, proofs } = this.#deps;
    const digests = proofs.links(token);
    const attempt = digests === null ? null : await findAttemptByLink(host.db, digests);
    const secrets = attempt === null ? null : await readSecrets(host.db, attempt.id);
    const key = attempt === null ? null : await findKey(host.db, attempt.keyId);
    const draft = attempt === null || secrets === null ? null : this.#draftOf(attempt, secrets);
    if (attempt === null || key === null || draft === null)
      throw new NotFoundError('invitation.link_unknown');
    const isOwnBrowser = proofs.isBrowser(secrets?.browser ?? null, browser);
    return { attempt, key, email: draft.email, name: draft.name, isOwnBrowser };
  }

  /**
   * Anybody may have typed this address into the form; only its owner opens the mail. So in another browser than the one that
   * signed up the password typed there is thrown away, and the owner of the mailbox chooses one.
   */
  async byLink(
    token: string,
    { browser, password, network }: { browser: string | null; password: string; network: string },
  ): Promise<Confirmed> {
    const { host, proofs } = this.#deps;
    const { attempt, isOwnBrowser, email, name } = await this.look(token, browser);
    if (!isOwnBrowser) {
      host.users.check({ email, name, password });
      const secrets = await readSecrets(host.db, attempt.id);
      const typed = secrets && this.#draftOf(attempt, secrets);
      if (!typed) throw new NotFoundError('invitation.link_unknown');
      await assertLocalSignIn(host);
      const { passkey: _ofAnotherBrowser, identity: _ofAnotherPerson, ...draft } = typed;
      const passwordHash = await host.users.hash(password, { lane: 'redeem' });
      await host.transaction((tx) =>
        replaceDraft(tx, attempt.id, proofs.seal(attempt.id, { ...draft, passwordHash })),
      );
    }
    const secrets = await readSecrets(host.db, attempt.id);
    if (secrets === null) throw new NotFoundError('invitation.link_unknown');
    return this.#confirm(attempt, secrets, { network });
  }

  /** Where there is no mail, or it does not arrive: somebody who knows the person answers for the address. On record. */
  async byHand(actor: Actor, attemptId: string): Promise<Confirmed> {
    const { host } = this.#deps;
    const attempt = await findAttempt(host.db, attemptId);
    const key = attempt === null ? null : await findKey(host.db, attempt.keyId);
    assertMayManage(actor, key);
    const secrets = await readSecrets(host.db, attemptId);
    if (attempt === null || secrets === null) throw new NotFoundError('invitation.nothing_waits');
    return this.#confirm(attempt, secrets, { network: '', by: actor });
  }

  async resend(keyId: string, browser: string): Promise<void> {
    const { host } = this.#deps;
    const waiting = await this.waiting(keyId, browser);
    if (waiting === null) throw new NotFoundError('invitation.nothing_waits');
    if (host.clock.now() < waiting.resendAt) throw new ConflictError('invitation.resend_early');
    await host.limits.count(RESENDING, waiting.attempt.id);
    await this.#sendAgain(waiting.attempt);
  }

  async resendByHand(actor: Actor, attemptId: string): Promise<void> {
    const { host } = this.#deps;
    const attempt = await findAttempt(host.db, attemptId);
    const key = attempt === null ? null : await findKey(host.db, attempt.keyId);
    assertMayManage(actor, key);
    if (attempt === null) throw new NotFoundError('invitation.nothing_waits');
    if (!host.mail.isOn) throw new ConflictError('invitation.mail_off');
    await host.limits.count(RESENDING, actor.userId ?? actor.name);
    await this.#sendAgain(attempt);
  }

  /** For an address that has an account nothing is sent a second time; to the eye it is the same. */
  async #sendAgain(attempt: Attempt): Promise<void> {
    const { host, proofs, mails } = this.#deps;
    const secrets = await readSecrets(host.db, attempt.id);
    const draft = secrets && this.#draftOf(attempt, secrets);
    const made = proofs.make(attempt.id);
    const mayWrite = secrets !== null && (await mails.mayWriteTo(secrets.addressMac));
    const isReal = attempt.redemptionId !== null && draft !== null;
    const stored = isReal ? made.stored : { linkLookup: null, codeDigest: made.stored.codeDigest };
    await host.transaction(async (tx) => {
      const now = host.clock.now();
      const next = { sends: attempt.sends, proofs: stored, now, codeUntil: now + CODE_LIFE_MS };
      if (!(await renewProofs(tx, attempt.id, next))) throw new ConflictError('invitation.resend_early');
      if (isReal && mayWrite) await mails.confirmAddress(tx, draft, { ...made, reference: attempt.id });
    });
  }

  async #confirm(
    attempt: Attempt,
    secrets: AttemptSecrets,
    proof: { network: string; by?: Actor },
    triesLeft = 3,
  ): Promise<Confirmed> {
    const { host, line, care, newcomers, sweeper, proofs } = this.#deps;
    const [redemption, key, draft] = await this.#held(attempt, secrets);
    if (!draft.identity) await assertLocalSignIn(host);
    const emailNorm = normaliseAddress(draft.email) ?? '';
    const status = needsApproval(key, isUnder(emailNorm, key.emailDomains)) ? 'pending_approval' : 'active';
    const giver = await care.giverOf(key);
    const prepared = await host.users.prepare(draft, { lane: 'redeem', ...accessOf(draft) });
    const approvers = status === 'active' ? [] : await newcomers.approversFor(key);
    try {
      return await line.alone(key.id, () =>
        host.transaction(async (tx) => {
          const now = host.clock.now();
          if (!(await touchOpen(tx, key, now))) throw new ConflictError('invitation.changed_meanwhile');
          const next = {
            status,
            attemptId: attempt.id,
            holdUntil: null,
            settledAt: status === 'active' ? now : null,
          } as const;
          if (!(await moveRedemption(tx, redemption.id, 'pending_email', next)))
            throw new ConflictError('invitation.confirmed_already');
          if (proof.by) {
            const after = { email: draft.email, seat: redemption.seat };
            await host.audit.record(tx, proof.by, {
              action: 'invitation-key.confirmed-by-hand',
              ...subjectOf(key),
              after,
            });
          }
          if (status === 'pending_approval') {
            await eraseDrafts(tx, redemption.id, { except: attempt.id });
            await replaceDraft(tx, attempt.id, proofs.seal(attempt.id, { ...draft, isProven: true }));
            await keepAttempt(tx, attempt.id, now + YEAR_MS);
            await newcomers.tellApprovers(tx, key, draft, approvers);
            return { status, landing: key.landing };
          }
          const arrival = {
            key,
            giver,
            seat: redemption.seat,
            network: proof.network,
            answers: draft.answers,
            walker: secrets.browser,
          };
          const person = await newcomers.settle(tx, prepared, arrival, {
            emailProven: true,
            approved: false,
          });
          await moveRedemption(tx, redemption.id, 'active', { userId: person.id });
          await eraseDrafts(tx, redemption.id);
          return { status, userId: person.id, landing: key.landing };
        }),
      );
    } catch (error) {
      // The key was edited between reading and writing: judged anew, as it is now.
      const isStale = error instanceof KnownError && error.code === 'invitation.changed_meanwhile';
      if (isStale && triesLeft > 1) return this.#confirm(attempt, secrets, proof, triesLeft - 1);
      // The address got an account another way while it was being proven: the seat is free again.
      if (error instanceof KnownError && error.code === 'user.exists') {
        await sweeper.release(redemption);
        throw new ConflictError('invitation.account_exists', { cause: error });
      }
      throw error;
    }
  }

  /** A seat that is still held for this attempt, and a key that is still open. */
  async #held(
    attempt: Attempt,
    secrets: AttemptSecrets,
  ): Promise<[Redemption, InvitationKey, NewcomerDraft]> {
    const { host } = this.#deps;
    const redemption =
      attempt.redemptionId === null ? null : await findRedemption(host.db, attempt.redemptionId);
    const found = await findKey(host.db, attempt.keyId);
    if (redemption === null || found === null) throw new NotFoundError('invitation.nothing_waits');
    const key = await seenThrough(host.db, found, await copyOfSeat(host.db, redemption.id));
    if (redemption.status === 'active' || redemption.status === 'pending_approval')
      throw new GoneError('invitation.confirmed_already');
    const isLapsed = redemption.holdUntil !== null && host.clock.now() >= redemption.holdUntil;
    if (redemption.status !== 'pending_email' || isLapsed) throw new GoneError('invitation.hold_ended');
    // Time and cap were right when the seat was taken; what was closed since then is closed.
    if (key.revokedAt !== null || key.pausedAt !== null) {
      throw (
        refusalOf(
          { ...key, weak: false, maxUses: null, expiresAt: null, notBefore: null },
          host.clock.now(),
        ) ?? new GoneError('invitation.revoked')
      );
    }
    const draft = this.#draftOf(attempt, secrets);
    if (draft === null) throw new GoneError('invitation.hold_ended');
    return [redemption, key, draft];
  }

  #draftOf(attempt: Attempt, { draft }: AttemptSecrets): NewcomerDraft | null {
    return draft === null ? null : this.#deps.proofs.open(attempt.id, draft);
  }
}

function resendAt({ sends, sentAt, at }: Attempt): number {
  return (sentAt ?? at) + (sends <= 1 ? FIRST_PAUSE_MS : LATER_PAUSE_MS);
}
