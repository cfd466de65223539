import {
  ConflictError,
  ForbiddenError,
  KnownError,
  NotFoundError,
  type Actor,
  type Host,
  type Page,
  type PageRequest,
  type PersonFacts,
} from 'latchkey/plugin-api';
import { eraseDrafts, findAttempt, findAttemptOfSeat, readSecrets } from '../seats/attempt-repository.ts';
import { answersOf, deleteAnswers } from '../carries/answer-repository.ts';
import { eachOf, type BulkResult } from '../keys/key-bulk.ts';
import type { Authority } from '../keys/authority.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { JoinMails } from '../seats/join-mails.ts';
import { assertMayManage } from '../keys/key-policy.ts';
import { findKey, findKeys, giveBackSeat } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { Newcomers } from '../join/newcomers.ts';
import type { ProofBox } from '../seats/proofs.ts';
import { accessOf, type Attempt, type NewcomerDraft, type Redemption } from '../seats/redemption.ts';
import { findRedemption, listRedemptions, moveRedemption } from '../seats/redemption-repository.ts';
import { countRequests } from '../requests/request-repository.ts';
import type { SeatSweeper } from '../join/seat-sweeper.ts';
import { freeEntry } from '../roster/roster-repository.ts';

interface Deps {
  host: Host;
  proofs: ProofBox;
  authority: Authority;
  newcomers: Newcomers;
  mails: JoinMails;
  sweeper: SeatSweeper;
}

/** Somebody who holds a seat and is not in yet. */
export interface Candidate {
  redemption: Redemption;
  key: InvitationKey;
  attempt: Attempt | null;
  name: string;
  email: string;
  answers: Record<string, string>;
}

/** A request that is still open: of a new person with a draft, or of one who has an account. */
interface Decidable {
  redemption: Redemption;
  key: InvitationKey;
  draft: NewcomerDraft | null;
  person: PersonFacts | null;
  /** The digest of the browser that signed up. */
  walker: Buffer | null;
}

const APPROVE = 'registration-key.approve';

/** People who wait: for an administrator's yes, or for their own mail. */
export class ApprovalService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async listWaiting(actor: Actor, page: PageRequest): Promise<Page<Candidate>> {
    const entities = actor.entitiesWith(APPROVE);
    return this.#candidates(
      await listRedemptions(this.#deps.host.db, { statuses: ['pending_approval'], entities }, page),
    );
  }

  async listUnconfirmed(actor: Actor, page: PageRequest): Promise<Page<Candidate>> {
    const entities = actor.entitiesWith('registration-key.manage');
    return this.#candidates(
      await listRedemptions(this.#deps.host.db, { statuses: ['pending_email'], entities }, page),
    );
  }

  async countWaiting(actor: Actor): Promise<{ approvals: number; unconfirmed: number; requests: number }> {
    const one = { page: 1, perPage: 1 };
    const { db } = this.#deps.host;
    const count = async (status: 'pending_approval' | 'pending_email', right: string): Promise<number> =>
      (await listRedemptions(db, { statuses: [status], entities: actor.entitiesWith(right) }, one)).total;
    return {
      requests: await countRequests(db, {
        state: 'open',
        entities: actor.entitiesWith('registration-key.manage'),
      }),
      approvals: await count('pending_approval', APPROVE),
      unconfirmed: await count('pending_email', 'registration-key.manage'),
    };
  }

  /** The account comes into being now, by the authority of whoever approves. */
  async approve(actor: Actor, redemptionId: string): Promise<void> {
    const { host, authority, newcomers } = this.#deps;
    const { redemption, key, draft, person, walker } = await this.#decidable(actor, redemptionId);
    const giver = await authority.giverFor(actor, key);
    if (typeof giver === 'string') throw new ForbiddenError('invitation.more_than_own');
    const arrival = {
      key,
      giver,
      seat: redemption.seat,
      network: redemption.network,
      answers: draft?.answers ?? (await this.#keptAnswers(redemption)),
      walker,
    };
    const prepared =
      draft === null ? null : await host.users.prepare(draft, { lane: 'sign-in', ...accessOf(draft) });
    try {
      await host.transaction(async (tx) => {
        const now = host.clock.now();
        const next = { status: 'active', settledAt: now, decidedBy: actor.userId } as const;
        if (!(await moveRedemption(tx, redemptionId, 'pending_approval', next)))
          throw new ConflictError('invitation.decided_already');
        const joined = prepared
          ? await newcomers.settle(tx, prepared, arrival, {
              emailProven: draft?.isProven ?? false,
              approved: true,
            })
          : person;
        if (joined === null) throw new NotFoundError('invitation.account_gone');
        if (prepared) await moveRedemption(tx, redemptionId, 'active', { userId: joined.id });
        else await newcomers.give(tx, joined, arrival);
        await eraseDrafts(tx, redemptionId);
        await host.audit.record(tx, actor, {
          action: 'invitation-key.approved',
          ...subjectOf(key),
          after: { name: joined.name, seat: redemption.seat },
        });
      });
    } catch (error) {
      if (error instanceof KnownError && error.code === 'user.exists')
        throw new ConflictError('invitation.account_exists', { cause: error });
      throw error;
    }
  }

  /** Each on its own: somebody whom another approver has answered meanwhile does not stop the others. */
  decide(
    actor: Actor,
    ids: readonly string[],
    decision: 'approve' | 'decline',
    reason = '',
  ): Promise<BulkResult> {
    return eachOf(ids, (id) =>
      decision === 'approve' ? this.approve(actor, id) : this.decline(actor, id, reason),
    );
  }

  /** The sign-up behind a seat, for confirming by hand and for sending its mail again. */
  async attemptOf(redemptionId: string): Promise<string | null> {
    const redemption = await findRedemption(this.#deps.host.db, redemptionId);
    return redemption === null ? null : ((await this.#attemptOf(redemption))?.id ?? null);
  }

  /** No account, the seat is free again, and the person hears it, with a reason if there is one. */
  async decline(actor: Actor, redemptionId: string, reason: string): Promise<void> {
    const { host, mails } = this.#deps;
    const { redemption, key, draft, person } = await this.#decidable(actor, redemptionId);
    await host.transaction(async (tx) => {
      const next = {
        status: 'declined',
        settledAt: host.clock.now(),
        decidedBy: actor.userId,
        decisionNote: reason.slice(0, 500),
        userId: null,
      } as const;
      if (!(await moveRedemption(tx, redemptionId, 'pending_approval', next)))
        throw new ConflictError('invitation.decided_already');
      await giveBackSeat(tx, key.id);
      await deleteAnswers(tx, { keyId: key.id, seat: redemption.seat });
      await freeEntry(tx, redemptionId);
      await eraseDrafts(tx, redemptionId);
      const to = draft ?? person;
      if (to) await mails.declined(tx, to, { reason, reference: redemptionId });
      await host.audit.record(tx, actor, {
        action: 'invitation-key.declined',
        ...subjectOf(key),
        after: { seat: redemption.seat, reason },
      });
    });
  }

  /** Ends an unfinished sign-up before its time. */
  async dismiss(actor: Actor, redemptionId: string): Promise<void> {
    const { host, sweeper } = this.#deps;
    const redemption = await findRedemption(host.db, redemptionId);
    const key = redemption && (await findKey(host.db, redemption.keyId));
    assertMayManage(actor, key);
    const released =
      redemption !== null && (await sweeper.release(redemption, { reason: `dismissed by ${actor.name}` }));
    if (!released) throw new ConflictError('invitation.decided_already');
  }

  async #decidable(actor: Actor, redemptionId: string): Promise<Decidable> {
    const { host } = this.#deps;
    const redemption = await findRedemption(host.db, redemptionId);
    const key = redemption && (await findKey(host.db, redemption.keyId));
    if (redemption === null || key === null || !actor.can(APPROVE, key.entityId))
      throw new NotFoundError('invitation.nothing_waits');
    if (redemption.status !== 'pending_approval') throw new ConflictError('invitation.decided_already');
    const draft = redemption.how === 'new' ? await this.#draftOf(redemption) : null;
    const person = redemption.userId === null ? null : await host.users.find(redemption.userId);
    if (draft === null && person === null) throw new NotFoundError('invitation.nothing_waits');
    const attempt = await this.#attemptOf(redemption);
    const secrets = attempt && (await readSecrets(host.db, attempt.id));
    return { redemption, key, draft, person, walker: secrets?.browser ?? null };
  }

  async #candidates({ items, ...page }: Page<Redemption>): Promise<Page<Candidate>> {
    const { host } = this.#deps;
    const keys = await findKeys(
      host.db,
      items.map(({ keyId }) => keyId),
    );
    const people = await host.users.named(items.flatMap(({ userId }) => (userId === null ? [] : [userId])));
    const candidates: Candidate[] = [];
    for (const redemption of items) {
      const key = keys.get(redemption.keyId);
      if (!key) continue;
      const attempt = await this.#attemptOf(redemption);
      const draft = await this.#draftOf(redemption);
      const known = draft ?? people.get(redemption.userId ?? '');
      candidates.push({
        redemption,
        key,
        attempt,
        name: known?.name ?? '',
        email: known?.email ?? '',
        answers: draft?.answers ?? (await this.#keptAnswers(redemption)),
      });
    }
    return { ...page, items: candidates };
  }

  /** Of somebody with an account they stand beside the seat, in words. */
  async #keptAnswers({ keyId, seat }: Redemption): Promise<Record<string, string>> {
    const said = (await answersOf(this.#deps.host.db, keyId, [seat])).get(seat) ?? [];
    return Object.fromEntries(said.map(({ name, answer }) => [name, answer]));
  }

  async #attemptOf({ id, attemptId }: Redemption): Promise<Attempt | null> {
    const { db } = this.#deps.host;
    return attemptId === null ? findAttemptOfSeat(db, id) : findAttempt(db, attemptId);
  }

  async #draftOf(redemption: Redemption): Promise<NewcomerDraft | null> {
    const { host, proofs } = this.#deps;
    const attempt = await this.#attemptOf(redemption);
    const secrets = attempt && (await readSecrets(host.db, attempt.id));
    return attempt && secrets?.draft ? proofs.open(attempt.id, secrets.draft) : null;
  }
}
