import type { Host, PersonFacts, PreparedUser, Tx } from 'latchkey/plugin-api';
import type { Giver } from '../keys/authority.ts';
import { insertAnswers } from '../carries/answer-repository.ts';
import { answered, attributesFrom } from '../carries/carried-fields.ts';
import { accountEnd } from '../carries/carries.ts';
import { keyRedeemed } from '../hooks.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { noteJoined } from '../mailings/invitee-repository.ts';
import type { JoinMails } from '../seats/join-mails.ts';
import { factsOf, subjectOf } from '../keys/key-service.ts';
import type { SkippedGroups } from './skipped-groups.ts';
import type { StepWalk } from '../steps/step-walk.ts';
import type { NewcomerDraft } from '../seats/redemption.ts';
import { isSomebodyWaiting } from '../seats/redemption-repository.ts';

interface Deps {
  host: Host;
  mails: JoinMails;
  walk: StepWalk;
  skipped: SkippedGroups;
}

const TOLD_AGAIN_MS = 15 * 60_000;
const MOST_TOLD = 20;

export interface Arrival {
  key: InvitationKey;
  giver: Giver;
  seat: number;
  network: string;
  answers: Readonly<Record<string, string>>;
  /** The digest of the browser that signed up: what it agreed to on the way is theirs. */
  walker?: Buffer | null;
}

/** What becomes of somebody whose seat is sure: an account with exactly what the key gives, and nothing the form said. */
export class Newcomers {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async settle(
    tx: Tx,
    prepared: PreparedUser,
    arrival: Arrival,
    { emailProven, approved }: { emailProven: boolean; approved: boolean },
  ): Promise<PersonFacts> {
    const { host, mails } = this.#deps;
    const endsAt = accountEnd(arrival.key.carries, host.clock.now());
    const person = await host.users.insert(tx, prepared, { actor: arrival.giver.actor, emailProven, endsAt });
    await this.give(tx, person, arrival);
    await this.#carryOver(tx, person, arrival);
    await mails.welcome(tx, person, { approved, reference: arrival.key.id, landing: arrival.key.landing });
    return person;
  }

  /** What the key brought along and what was answered on the way, in the account and beside the seat. */
  async #carryOver(
    tx: Tx,
    { id, locale }: PersonFacts,
    { key, giver, seat, answers, walker = null }: Arrival,
  ): Promise<void> {
    const { host, walk } = this.#deps;
    const attributes = attributesFrom(key.carries, answers);
    if (Object.keys(attributes).length > 0) await host.users.setAttributes(tx, giver.actor, id, attributes);
    await this.keepAnswers(tx, { id, locale }, { key, seat, answers });
    if (walker !== null) await walk.handOver(tx, key.id, walker, id);
  }

  /** Beside the seat, in the words they were asked with. */
  async keepAnswers(
    tx: Tx,
    { id, locale }: Pick<PersonFacts, 'id' | 'locale'>,
    { key, seat, answers }: Pick<Arrival, 'key' | 'seat' | 'answers'>,
  ): Promise<void> {
    const said = answered(this.#deps.host, key.carries, answers, key.locale ?? locale);
    if (said.length > 0) await insertAnswers(tx, { keyId: key.id, seat, userId: id, answers: said });
  }

  /** Profile, entity and groups, for a new person or one who has an account already. */
  async give(
    tx: Tx,
    person: Pick<PersonFacts, 'id' | 'name' | 'email' | 'emailNorm'>,
    { key, giver, seat, answers }: Arrival,
  ): Promise<void> {
    const { host } = this.#deps;
    const { actor, groupIds, skippedGroupIds } = giver;
    const grant = { userId: person.id, profileId: key.profileId, entityId: key.entityId, recursive: false };
    await host.memberships.grant(tx, grant, { actor, person });
    for (const groupId of groupIds)
      await host.memberships.addToGroup(tx, { userId: person.id, groupId }, { actor });
    if (key.ticketId !== null)
      await host.tickets.adopt(tx, actor, {
        userId: person.id,
        ticketId: key.ticketId,
        emailNorm: key.emailProof === 'required' ? key.emailNorm : null,
      });
    await host.audit.record(tx, actor, {
      action: 'invitation-key.redeemed',
      ...subjectOf(key),
      after: {
        userId: person.id,
        name: person.name,
        seat,
        inviterId: key.ownerId,
        ...(skippedGroupIds.length > 0 ? { skippedGroupIds } : {}),
      },
    });
    if (key.isMailed) await noteJoined(tx, key.id, person.emailNorm, host.clock.now());
    await this.#deps.skipped.tell(tx, key, skippedGroupIds);
    await host.emit(
      tx,
      keyRedeemed,
      { key: factsOf(key), userId: person.id, seat, answers: { ...answers } },
      { aggregate: key.id },
    );
  }

  /**
   * Who is told that somebody waits: those who may decide. While somebody else of this key has begun to wait just now, nobody is told
   * again; a class of three hundred is one notice, and the queue it leads to shows them all.
   */
  async approversFor(key: InvitationKey): Promise<PersonFacts[]> {
    const { host } = this.#deps;
    if (await isSomebodyWaiting(host.db, key.id, host.clock.now() - TOLD_AGAIN_MS)) return [];
    return (await host.users.withRight('registration-key.approve', key.entityId)).slice(0, MOST_TOLD);
  }

  async tellApprovers(
    tx: Tx,
    key: InvitationKey,
    draft: Pick<NewcomerDraft, 'name' | 'email'>,
    approvers: readonly PersonFacts[],
  ): Promise<void> {
    await this.#deps.mails.approvalNeeded(tx, approvers, { person: draft.name, email: draft.email, key });
  }
}
