import { setImmediate as breathe } from 'node:timers/promises';
import {
  ConflictError,
  NotFoundError,
  type Actor,
  type Host,
  type Limit,
  type Tx,
} from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { assertMayManage } from '../keys/key-policy.ts';
import { findKey, findKeys } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { missingAfter } from '../roster/roster-repository.ts';
import type { InvitationPost } from './invitation-post.ts';
import {
  findInvitee,
  inviteesAfter,
  markOnce,
  type Invitee,
  type InviteeFilter,
} from './invitee-repository.ts';
import { renewExpiry } from './key-touch-repository.ts';
import { blankLine } from './line-judge.ts';
import { insertLines } from './line-repository.ts';
import { roundSubject, type Round } from './round.ts';
import { assertMayChangeRound, assertOpenFor, isOpenFor, newRound, seeRound } from './round-policy.ts';
import { deleteDraft, findRound, insertRound, moveRound } from './round-repository.ts';
import type { RoundRunner } from './round-runner.ts';
import { readAnswer, type Meaning } from './smtp-answer.ts';

interface Deps {
  host: Host;
  post: InvitationPost;
  rosters: RosterBook;
  runner: RoundRunner;
}

/** Whom a round writes to again. */
interface Person {
  /** Counts on through the list it is from. */
  id: string;
  email: string;
  locale: string | null;
  keyId: string;
}

const AT_ONCE = 200;
/** There is nobody at this address, today or tomorrow. */
const hopeless: readonly Meaning[] = ['no-mailbox', 'mailbox-closed', 'domain-gone'];
const RESENDING: Limit = { name: 'resend-invitation', points: 10, perSeconds: 3600 };

/** Writing to people a second time: to one, to all who have not joined, to those missing on a key's list. */
export class AgainService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** A new link for one person; the first goes on working. A personal key that would end soon is renewed, once. */
  async resend(
    actor: Actor,
    inviteeId: string,
    { message = '' }: { message?: string } = {},
  ): Promise<Invitee> {
    const { host, post } = this.#deps;
    const { invitee, key } = await this.#invitee(actor, inviteeId);
    if (!host.mail.isOn) throw new ConflictError('invitation.mail_off');
    if (invitee.joinedAt !== null) throw new ConflictError('round.joined_already');
    assertOpenFor(key, host.clock.now());
    if (actor.userId !== null) await host.limits.count(RESENDING, actor.userId);
    if ((await post.tooOften([invitee.emailNorm])).size > 0) throw new ConflictError('round.too_often');
    const { email, emailNorm } = invitee;
    const locale = invitee.locale ?? key.locale ?? actor.locale;
    const [replyTo, ticket] = [await post.replyToOf(actor.userId), await post.ticketOf(key)];
    await host.transaction(async (tx) => {
      const renewed = await this.#renew(tx, actor, key, invitee);
      await post.write(tx, {
        key: renewed,
        to: { email, emailNorm, locale },
        kind: 'invitation',
        inviter: actor.name,
        message,
        sentBy: actor.userId,
        replyTo,
        ticket,
      });
      await host.audit.record(tx, actor, {
        action: 'invitation-key.mailed-again',
        ...subjectOf(key),
        after: { to: email },
      });
    });
    return (await findInvitee(host.db, inviteeId)) ?? invitee;
  }

  /** To all who were invited and have not joined; only where the key still lets people in, and once a day. */
  async toAll(
    actor: Actor,
    about: { keyId: string } | { roundId: string },
    { message = '' }: { message?: string } = {},
  ): Promise<Round> {
    const { filter, slot, ...facts } = await this.#about(actor, about);
    const round = this.#round(actor, { ...facts, kind: 'again', message }, slot);
    return this.#begin(actor, round, (after) => this.#liveInvitees(filter, after));
  }

  /** To those on a key's list who have not joined; only where their addresses were kept. */
  async nudge(actor: Actor, keyId: string, { message = '' }: { message?: string } = {}): Promise<Round> {
    const { host, rosters } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    const roster = await rosters.of(key);
    if (roster?.kind !== 'email' || !roster.keepsAddresses) throw new ConflictError('roster.no_addresses');
    assertOpenFor(key, host.clock.now());
    const { entityId, label } = key;
    const round = this.#round(actor, { entityId, keyId, label, kind: 'nudge', message }, `nudge|${keyId}`);
    return this.#begin(actor, round, async (after) => {
      const missing = await missingAfter(host.db, keyId, after, AT_ONCE);
      return missing.map((entry) => ({
        id: entry.id,
        email: rosters.read(entry) ?? '',
        locale: null,
        keyId,
      }));
    });
  }

  async #invitee(actor: Actor, id: string): Promise<{ invitee: Invitee; key: InvitationKey }> {
    const { host } = this.#deps;
    const invitee = await findInvitee(host.db, id);
    const key = invitee === null ? null : await findKey(host.db, invitee.keyId);
    if (invitee === null) throw new NotFoundError('round.no_invitee');
    assertMayManage(actor, key);
    return { invitee, key };
  }

  /** As long again as it was given first. A key for many is not made to live longer because one of them was written to. */
  async #renew(tx: Tx, actor: Actor, key: InvitationKey, { id }: Invitee): Promise<InvitationKey> {
    const { host } = this.#deps;
    if (key.emailNorm === null || key.expiresAt === null) return key;
    const now = host.clock.now();
    const expiresAt = now + (key.expiresAt - key.createdAt);
    if (!(await markOnce(tx, id, 'renewed_at', now))) return key;
    if (!(await renewExpiry(tx, key.id, expiresAt, now))) return key;
    await host.audit.record(tx, actor, {
      action: 'invitation-key.edited',
      ...subjectOf(key),
      before: { expiresAt: key.expiresAt },
      after: { expiresAt },
    });
    return { ...key, expiresAt, version: key.version + 1 };
  }

  async #about(
    actor: Actor,
    about: { keyId: string } | { roundId: string },
  ): Promise<Pick<Round, 'entityId' | 'keyId' | 'label'> & { filter: InviteeFilter; slot: string }> {
    const { host } = this.#deps;
    if ('keyId' in about) {
      const key = await findKey(host.db, about.keyId);
      assertMayManage(actor, key);
      const { entityId, id, label } = key;
      return { entityId, keyId: id, label, filter: { keyId: id, joined: false }, slot: `again|${id}` };
    }
    const seen = await seeRound(host.db, actor, about.roundId);
    assertMayChangeRound(actor, seen);
    const { entityId, id, label, keyId } = seen.round;
    return { entityId, keyId, label, filter: { roundId: id, joined: false }, slot: `again|${id}` };
  }

  async #liveInvitees(filter: InviteeFilter, after: string): Promise<Person[]> {
    const { host } = this.#deps;
    const invitees = await inviteesAfter(host.db, { ...filter, after }, AT_ONCE);
    const keys = await findKeys(host.db, [...new Set(invitees.map(({ keyId }) => keyId))]);
    const now = host.clock.now();
    return invitees.map(({ id, email, locale, keyId, delivery, reply }) => {
      const key = keys.get(keyId);
      // Whoever writes to nobody again and again is soon taken for one who sends what nobody wants.
      const isGone = delivery === 'dead' && hopeless.includes(readAnswer(reply)?.meaning ?? 'refused');
      const mayHear = key !== undefined && isOpenFor(key, now) && !isGone;
      return { id, email: mayHear ? email : '', locale, keyId };
    });
  }

  #round(
    actor: Actor,
    facts: Pick<Round, 'entityId' | 'keyId' | 'label' | 'message' | 'kind'>,
    slot: string,
  ): Round {
    const { host } = this.#deps;
    if (!host.mail.isOn) throw new ConflictError('invitation.mail_off');
    const now = host.clock.now();
    const day = new Date(now).toISOString().slice(0, 10);
    return { ...newRound(actor, now, facts), onceSlot: `${slot}|${day}` };
  }

  /** Gathers whom to write to, a few hundred at a time, and begins. */
  async #begin(actor: Actor, round: Round, more: (after: string) => Promise<Person[]>): Promise<Round> {
    const { host, runner } = this.#deps;
    try {
      await host.transaction((tx) => insertRound(tx, round));
    } catch (error) {
      if (host.db.dialect.isDuplicate(error)) throw new ConflictError('round.once_a_day', { cause: error });
      throw error;
    }
    const people = await this.#gather(round, more);
    if (people === 0) {
      await host.transaction((tx) => deleteDraft(tx, round.id));
      throw new ConflictError('round.nobody_missing');
    }
    const started = { state: 'sending', startedAt: host.clock.now() } as const;
    await host.transaction(async (tx) => {
      await moveRound(tx, round.id, ['draft'], started);
      await host.audit.record(tx, actor, {
        action: 'invitation-round.started',
        ...roundSubject(round),
        after: { kind: round.kind, people, keyId: round.keyId },
      });
    });
    runner.kick(round.id);
    return (await findRound(host.db, round.id)) ?? { ...round, ...started };
  }

  async #gather(round: Round, more: (after: string) => Promise<Person[]>): Promise<number> {
    const { host } = this.#deps;
    let [people, after] = [0, ''];
    for (;;) {
      const some = await more(after);
      const last = some.at(-1);
      if (!last) return people;
      after = last.id;
      const lines = some.flatMap(({ email, locale, keyId }) => {
        const emailNorm = normaliseAddress(email);
        if (emailNorm === null) return [];
        people += 1;
        const place = { position: people, line: people, written: email };
        return [{ ...blankLine(round.id), ...place, email, emailNorm, locale, keyId }];
      });
      await host.transaction((tx) => insertLines(tx, lines));
      await breathe();
    }
  }
}
