import {
  ConflictError,
  InvalidInputError,
  KnownError,
  newId,
  type Host,
  type NewIdentity,
  type NewPasskey,
  type PersonFacts,
  type UserDraft,
} from 'latchkey/plugin-api';
import { rememberCopy, seenThrough } from '../copies/copy-repository.ts';
import { withFixed } from '../carries/carried-fields.ts';
import type { StepWalk } from '../steps/step-walk.ts';
import { isUnder, normaliseAddress } from '../keys/address.ts';
import {
  findAttemptByRedeemId,
  insertAttempt,
  readSecrets,
  type AttemptSecrets,
} from '../seats/attempt-repository.ts';
import { mayRedeem } from '../hooks.ts';
import { needsApproval, type InvitationKey } from '../keys/invitation-key.ts';
import type { Checked, HumanCheck } from './human-check.ts';
import type { JoinMails } from '../seats/join-mails.ts';
import { findKey, findKeyStamp, type KeyStamp } from '../keys/key-repository.ts';
import { ThisTurn } from '../keys/this-turn.ts';
import { factsOf } from '../keys/key-service.ts';
import type { KeyCare } from '../seats/key-care.ts';
import type { Mailing } from '../mailings/mailing-repository.ts';
import type { Newcomers } from './newcomers.ts';
import { addsNothing } from './nothing-new.ts';
import type { ProofBox } from '../seats/proofs.ts';
import {
  accessOf,
  CODE_LIFE_MS,
  HOLD_MS,
  type Attempt,
  type NewcomerDraft,
  type Redemption,
} from '../seats/redemption.ts';
import {
  findByAddress,
  findByUser,
  findRedemption,
  insertRedemption,
} from '../seats/redemption-repository.ts';
import {
  assertAddressFits,
  assertLocalSignIn,
  assertNewAccountsAllowed,
  assertOpen,
  assertRoom,
} from '../seats/refusal.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { SeatMissed, type SeatLine } from './seat-line.ts';

export interface JoinForm {
  /** A UUID made with the form: the same form sent twice is one person. */
  redeemId: string;
  email: string;
  name: string;
  password: string;
  /** Instead of a password. */
  passkey?: NewPasskey;
  /** Instead of both: somebody whom a provider has named. Its address is theirs to come with, and no other. */
  identity?: NewIdentity;
  locale: string;
  answers: Record<string, string>;
  /** Steps that a program says were shown and agreed to, `<id>@<edition>`; a browser has walked past them itself. */
  accepted?: readonly string[];
}

export interface Visitor {
  /** What only this browser holds; null for programs. */
  browser: string | null;
  /** The mailed invitation that was opened, which proves its mailbox. */
  mailing: Mailing | null;
  network: string;
  /** What was answered to the check that keeps machines out, and for whom it was. */
  check?: Pick<Checked, 'answers' | 'binding'>;
  /** The copy of the key that was opened. */
  copyId?: string | null;
}

export type Outcome =
  /** `userId` is there only for the browser that may have a session. */
  | { status: 'active'; userId: string | null; landing: string }
  | { status: 'pending_email' }
  | { status: 'pending_approval' };

interface Deps {
  host: Host;
  rosters: RosterBook;
  proofs: ProofBox;
  care: KeyCare;
  line: SeatLine;
  newcomers: Newcomers;
  mails: JoinMails;
  humans: HumanCheck;
  walk: StepWalk;
}

/** How long a repeat of the same form is recognised, and a draft kept at most. */
const ATTEMPT_LIFE_MS = 7 * 24 * 3_600_000;
const MOST_JUDGEMENTS = 3;

type FirstStatus = 'active' | 'pending_email' | 'pending_approval';

interface Candidate {
  form: JoinForm;
  emailNorm: string;
  visitor: Visitor;
  passwordHash: string;
}

/**
 * Takes a seat for somebody. Everything slow (limits, rules, hashing, other plugins) happens before; what must be true at one
 * moment stands in one guarded UPDATE, first in a transaction with all that follows from it.
 */
export class RedeemService {
  readonly #deps: Deps;
  readonly #stamps = new ThisTurn((id) => findKeyStamp(this.#deps.host.db, id));

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async redeem(opened: InvitationKey, said: JoinForm, visitor: Visitor): Promise<Outcome> {
    const { host, line, walk, rosters } = this.#deps;
    const form = asNamed(withFixed(said, opened.carries));
    const emailNorm = normaliseAddress(form.email);
    if (emailNorm === null) throw notAnAddress();
    const repeated = await this.#repeated(opened, form.redeemId, emailNorm, visitor);
    if (repeated !== null) return repeated;

    await assertNewAccountsAllowed(host);
    if (!form.identity) await assertLocalSignIn(host);
    await this.#judge(opened, emailNorm);
    await rosters.assertListed(opened, { emailNorm, answers: form.answers }, visitor.network);
    const { browser } = visitor;
    await walk.assertWalked(opened, { browser, accepted: form.accepted ?? [] }, form.locale);
    await assertRoom(host);
    host.users.check(checkedOf(form));
    await this.#deps.humans.assertPassed(opened, {
      ...nothingAnswered,
      ...visitor.check,
      network: visitor.network,
    });
    return line.turn(opened, async () => {
      const key = await this.#readAtDoor(opened, visitor);
      await this.#judge(key, emailNorm);
      const needsHash = !form.passkey && !form.identity;
      const passwordHash = needsHash ? await host.users.hash(form.password, { lane: 'redeem' }) : '';
      return this.#take(key, { form, emailNorm, visitor, passwordHash });
    });
  }

  /** For somebody who has an account and is signed in: the same seat, no second account. */
  async addToAccount(
    opened: InvitationKey,
    actor: { userId: string },
    {
      network,
      copyId,
      answers,
    }: Pick<Visitor, 'network' | 'copyId'> & { answers: Readonly<Record<string, string>> },
  ): Promise<'joined' | 'already' | 'nothing-new' | 'waiting'> {
    const { host, line, newcomers } = this.#deps;
    const person = await host.users.find(actor.userId);
    if (person === null) throw new ConflictError('invitation.account_gone');
    if ((await findByUser(host.db, opened.id, person.id)) !== null) return 'already';
    if (await this.addsNothing(opened, person)) return 'nothing-new';

    await assertNewAccountsAllowed(host);
    if (!person.emailProven && needsProvenAddress(opened))
      throw new ConflictError('invitation.prove_address_first');

    for (let judged = 1; ; judged += 1) {
      const key = judged === 1 ? opened : await this.#readAgain(opened, { copyId: copyId ?? null });
      await this.#judge(key, person.emailNorm);
      const listed = await this.#deps.rosters.claimOfAccount(key, person, network);
      await host.askVeto(mayRedeem, {
        key: factsOf(key),
        newcomer: { email: person.email, name: person.name, locale: person.locale, answers: { ...answers } },
      });
      const giver = await this.#deps.care.giverOf(key);
      const waits = needsApproval(key, isUnder(person.emailNorm, key.emailDomains));
      const approvers = waits ? await newcomers.approversFor(key) : [];
      try {
        await line.take(key, async (tx, { number: seat, takenAt: now }) => {
          const status = waits ? 'pending_approval' : 'active';
          const redemption = {
            ...blankSeat(key, now, network),
            seat,
            status,
            how: 'existing',
            userId: person.id,
          } as const;
          await insertRedemption(tx, redemption, this.#deps.proofs.address(person.emailNorm));
          await listed(tx, redemption.id);
          if (copyId) await rememberCopy(tx, { redemptionId: redemption.id, copyId, keyId: key.id });
          await newcomers.keepAnswers(tx, person, { key, seat, answers });
          await newcomers.tellApprovers(tx, key, person, approvers);
          if (!waits) await newcomers.give(tx, person, { key, giver, seat, network, answers });
        });
        return waits ? 'waiting' : 'joined';
      } catch (error) {
        if (host.db.dialect.isDuplicate(error)) return 'already';
        if (!(error instanceof SeatMissed) || judged === MOST_JUDGEMENTS) throw asConflict(error);
      }
    }
  }

  /** To somebody who has an account. */
  addsNothing(
    key: InvitationKey,
    person: Pick<PersonFacts, 'id' | 'emailNorm' | 'locale'>,
  ): Promise<boolean> {
    return addsNothing(this.#deps, key, person);
  }

  /** What the form that was sent already came to, if it was sent already. */
  async #repeated(
    key: InvitationKey,
    redeemId: string,
    emailNorm: string,
    visitor: Visitor,
  ): Promise<Outcome | null> {
    const { host, proofs } = this.#deps;
    const attempt = await findAttemptByRedeemId(host.db, key.id, redeemId);
    const secrets = attempt === null ? null : await readSecrets(host.db, attempt.id);
    if (attempt === null || secrets === null) return null;
    if (!proofs.isAddress(secrets.addressMac, emailNorm))
      throw new ConflictError('invitation.redeem_id_reused');
    const redemption =
      attempt.redemptionId === null ? null : await findRedemption(host.db, attempt.redemptionId);
    return outcomeOf(key, redemption, {
      attempt,
      mayEnter: proofs.isBrowser(secrets.browser, visitor.browser),
    });
  }

  /** Before anything slow is done for it. In whose name people come in is asked last, just before the seat is taken. */
  async #judge(key: InvitationKey, emailNorm: string): Promise<void> {
    const { host, care } = this.#deps;
    assertOpen(key, host.clock.now());
    await care.assertAddressFits(key, () => {
      assertAddressFits(key, emailNorm);
    });
  }

  async #take(judged: InvitationKey, candidate: Candidate): Promise<Outcome> {
    let key = judged;
    for (let times = 1; ; times += 1) {
      const { form, emailNorm, visitor } = candidate;
      // The first time this was asked before the hash; a twin that came in between is found by its row, the second time.
      const repeated = times === 1 ? null : await this.#repeated(key, form.redeemId, emailNorm, visitor);
      if (repeated !== null) return repeated;
      try {
        // Whoever joins at once would be found by the rows they write, so the first time nobody looks.
        const status = await this.#statusOf(key, candidate);
        const isSure = times === 1 && status === 'active';
        const repeat = isSure ? null : await this.#withoutSeat(key, candidate);
        return repeat ?? (await this.#takeSeat(key, candidate, status));
      } catch (error) {
        if (times === MOST_JUDGEMENTS || !this.#mayTryAgain(error)) throw asConflict(error);
      }
      key = await this.#readAgain(key, visitor);
      await this.#judge(key, emailNorm);
    }
  }

  /** Somebody was faster: with this form, this address, this account, or with an edit of the key. All of it is found by looking again. */
  #mayTryAgain(error: unknown): boolean {
    return (
      error instanceof SeatMissed ||
      this.#deps.host.db.dialect.isDuplicate(error) ||
      (error instanceof KnownError && error.code === 'user.exists')
    );
  }

  /** Two cases take no seat: the address has an account already, or holds a seat of this key already. To the eye they are like the others. */
  async #withoutSeat(key: InvitationKey, candidate: Candidate): Promise<Outcome | null> {
    const { host, proofs, mails } = this.#deps;
    const account = await host.users.findByEmail(candidate.emailNorm);
    const held = await findByAddress(host.db, key.id, proofs.addresses(candidate.emailNorm));
    if (account === null && held === null) return null;

    const sharesSeat = account === null && held?.status === 'pending_email';
    const blank = this.#attempt(key, candidate, sharesSeat ? held.id : null);
    const attempt = sharesSeat ? blank : { ...blank, endsAt: blank.at + HOLD_MS };
    const mayWrite = await mails.mayWriteTo(proofs.address(candidate.emailNorm));
    const made = proofs.make(attempt.id);
    await host.transaction(async (tx) => {
      const stored = sharesSeat ? made.stored : { linkLookup: null, codeDigest: made.stored.codeDigest };
      await insertAttempt(
        tx,
        { ...attempt, sentAt: mayWrite ? attempt.at : null },
        this.#secrets(attempt, sharesSeat ? candidate : { ...candidate, passwordHash: '' }, stored, true),
      );
      const to = {
        email: account?.email ?? candidate.form.email,
        locale: account?.locale ?? candidate.form.locale,
      };
      if (mayWrite && sharesSeat) await mails.confirmAddress(tx, to, { ...made, reference: attempt.id });
      else if (mayWrite) await mails.alreadyHaveAccount(tx, to, attempt.id);
    });
    return { status: 'pending_email' };
  }

  async #takeSeat(key: InvitationKey, candidate: Candidate, status: FirstStatus): Promise<Outcome> {
    const { host, line, care, mails, proofs, newcomers } = this.#deps;
    const { form, emailNorm, visitor, passwordHash } = candidate;
    const { email, name, locale, answers } = form;
    const listed = await this.#deps.rosters.claim(key, { emailNorm, answers });
    const giver = await care.giverOf(key);
    await host.askVeto(mayRedeem, { key: factsOf(key), newcomer: { email, name, locale, answers } });
    const prepared = await host.users.prepare(
      { email, name, locale },
      { lane: 'redeem', ...accessOf({ ...form, passwordHash }) },
    );

    const approvers = status === 'pending_approval' ? await newcomers.approversFor(key) : [];
    const attempt = this.#attempt(key, candidate, newId());
    const made = status === 'pending_email' ? proofs.make(attempt.id) : null;
    const mayWrite = made !== null && (await mails.mayWriteTo(proofs.address(emailNorm)));

    return line.take(key, async (tx, { number: seat, takenAt: now }) => {
      const walker = visitor.browser === null ? null : proofs.browser(visitor.browser);
      const arrival = { key, giver, seat, network: visitor.network, answers, walker };
      const person =
        status === 'active'
          ? await newcomers.settle(tx, prepared, arrival, {
              emailProven: isProven(candidate, key.id),
              approved: false,
            })
          : null;
      const redemption = {
        ...blankSeat(key, now, visitor.network),
        id: attempt.redemptionId ?? newId(),
        seat,
        status,
        userId: person?.id ?? null,
        attemptId: status === 'pending_email' ? null : attempt.id,
        holdUntil: status === 'pending_email' ? now + HOLD_MS : null,
      };
      await insertRedemption(tx, redemption, proofs.address(emailNorm));
      await listed(tx, redemption.id);
      const { copyId } = visitor;
      if (copyId) await rememberCopy(tx, { redemptionId: redemption.id, copyId, keyId: key.id });
      const stored = made?.stored ?? { linkLookup: null, codeDigest: null };
      const row = {
        ...attempt,
        sentAt: mayWrite ? now : null,
        endsAt: status === 'pending_approval' ? now + YEAR_MS : attempt.endsAt,
      };
      await insertAttempt(tx, row, this.#secrets(attempt, candidate, stored, status !== 'active'));
      if (made && mayWrite)
        await mails.confirmAddress(tx, { email, name, locale }, { ...made, reference: attempt.id });
      await newcomers.tellApprovers(tx, key, { name, email }, approvers);
      return outcomeOf(
        key,
        { ...redemption, settledAt: null, decidedBy: null, decisionNote: null },
        { attempt, mayEnter: visitor.browser !== null },
      );
    });
  }

  async #statusOf(key: InvitationKey, candidate: Candidate): Promise<FirstStatus> {
    const { emailProof } = await this.#deps.rosters.strict(key);
    if (emailProof === 'required' && !isProven(candidate, key.id)) return 'pending_email';
    return needsApproval(key, isUnder(candidate.emailNorm, key.emailDomains)) ? 'pending_approval' : 'active';
  }

  #attempt(key: InvitationKey, { form }: Candidate, redemptionId: string | null): Attempt {
    const now = this.#deps.host.clock.now();
    return {
      id: newId(),
      keyId: key.id,
      redemptionId,
      redeemId: form.redeemId,
      codeTries: 0,
      codeUntil: now + CODE_LIFE_MS,
      sends: 1,
      sentAt: null,
      endsAt: now + ATTEMPT_LIFE_MS,
      at: now,
    };
  }

  #secrets(
    attempt: Attempt,
    candidate: Candidate,
    stored: { linkLookup: Buffer | null; codeDigest: Buffer | null },
    keepsDraft: boolean,
  ): AttemptSecrets {
    const { proofs } = this.#deps;
    const { form, emailNorm, visitor, passwordHash } = candidate;
    const draft: NewcomerDraft = {
      email: form.email,
      name: form.name,
      locale: form.locale,
      passwordHash,
      ...(form.passkey ? { passkey: form.passkey } : {}),
      ...(form.identity ? { identity: form.identity } : {}),
      isProven: isProven(candidate, attempt.keyId),
      answers: form.answers,
    };
    return {
      ...stored,
      addressMac: proofs.address(emailNorm),
      browser: visitor.browser === null ? null : proofs.browser(visitor.browser),
      draft: keepsDraft ? proofs.seal(attempt.id, draft) : null,
    };
  }

  /** Those who were seated together let the next in together: at the door, one look is enough for them all. */
  #readAtDoor(key: InvitationKey, visitor: Pick<Visitor, 'copyId'>): Promise<InvitationKey> {
    return this.#readAgain(key, visitor, (id) => this.#stamps.find(id));
  }

  /** The key as it is now. What an edit leaves as it was need not be read again: every edit raises the version (ruling 20). */
  async #readAgain(
    key: InvitationKey,
    { copyId }: Pick<Visitor, 'copyId'>,
    // Whoever has just missed a seat must see what took it, and not what others saw a moment before.
    stampOf = (id: string): Promise<KeyStamp | null> => findKeyStamp(this.#deps.host.db, id),
  ): Promise<InvitationKey> {
    const { db } = this.#deps.host;
    const stamp = copyId ? null : await stampOf(key.id);
    if (stamp?.version === key.version) return { ...key, ...stamp };
    const now = await findKey(db, key.id);
    // Replaced meanwhile: the text that this form was opened with opens nothing any more.
    if (now === null || now.generation !== key.generation) throw new ConflictError('invitation.replaced');
    return seenThrough(db, now, copyId);
  }
}

/** A passkey needs no rules, its device has made it; nor does what a provider says. */
const checkedOf = ({ email, name, locale, password, passkey, identity }: JoinForm): UserDraft => ({
  email,
  name,
  locale,
  ...(passkey || identity ? {} : { password }),
});

/** Whoever comes through a provider comes with the address it gives them, whatever else the form says. */
const asNamed = (form: JoinForm): JoinForm =>
  form.identity?.email ? { ...form, email: form.identity.email } : form;

/** A provider has seen to it that they read that mailbox. */
const isVouchedFor = ({ identity }: JoinForm): boolean =>
  identity?.email !== null && identity?.emailVerified === true;

const nothingAnswered = { answers: {}, binding: '' };
const YEAR_MS = 365 * 24 * 3_600_000;

const blankSeat = (
  key: InvitationKey,
  at: number,
  network: string,
): Omit<Redemption, 'seat' | 'status' | 'settledAt' | 'decidedBy' | 'decisionNote'> => ({
  id: newId(),
  keyId: key.id,
  entityId: key.entityId,
  how: 'new',
  userId: null,
  attemptId: null,
  holdUntil: null,
  at,
  network,
  inviterId: key.ownerId,
});

function outcomeOf(
  key: InvitationKey,
  redemption: Redemption | null,
  { attempt, mayEnter }: { attempt: Attempt; mayEnter: boolean },
): Outcome {
  if (redemption?.status === 'active') {
    const isWinner = redemption.attemptId === attempt.id;
    return {
      status: 'active',
      userId: mayEnter && isWinner ? redemption.userId : null,
      landing: key.landing,
    };
  }
  return redemption?.status === 'pending_approval'
    ? { status: 'pending_approval' }
    : { status: 'pending_email' };
}

/** What the key asks of an address must be true of it, not only written in the account. */
const needsProvenAddress = ({ email, emailDomains }: InvitationKey): boolean =>
  email !== null || emailDomains.length > 0;

/** Whoever came by a mailed invitation reads the mailbox it went to. */
const isProvenBy = ({ mailing }: Visitor, keyId: string, emailNorm: string): boolean =>
  mailing !== null && mailing.keyId === keyId && mailing.emailNorm === emailNorm;

const isProven = ({ form, emailNorm, visitor }: Candidate, keyId: string): boolean =>
  isProvenBy(visitor, keyId, emailNorm) || isVouchedFor(form);

const notAnAddress = (): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field: 'email', code: 'invitation.not_an_address' }] });

const asConflict = (error: unknown): unknown =>
  error instanceof SeatMissed ? new ConflictError('invitation.try_again', { cause: error }) : error;
