import { setTimeout as rest } from 'node:timers/promises';
import { markMailed } from '../keys/key-repository.ts';
import { newId, NotFoundError, system, type Host, type Tx } from 'latchkey/plugin-api';
import type { JoinMails, LetterTicket } from '../seats/join-mails.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import { countMails, noteMail } from './invitee-repository.ts';
import { insertMailing } from './mailing-repository.ts';

export type LetterKind = 'invitation' | 'reminder';

export interface Letter {
  key: InvitationKey;
  to: { email: string; emailNorm: string; name?: string; locale: string };
  kind: LetterKind;
  /** Who is inviting, for the first line. */
  inviter: string;
  message: string;
  sentBy: string | null;
  /** Where an answer goes: to whoever invites, see `replyToOf`. */
  replyTo: string | null;
  /** What the key was made for, see `ticketOf`. */
  ticket: LetterTicket | null;
}

interface Deps {
  host: Host;
  door: KeyDoor;
  mails: JoinMails;
}

const DAY_MS = 86_400_000;
/** Whoever sends, and with whichever key: nobody is written to more often. */
export const MAILS_A_DAY = 3;

/**
 * A few hundred at once, then 1,500 a minute: half of what the house lets a plugin queue, since the codes of those who join meanwhile
 * come out of the same.
 */
const BURST = 200;
const EACH_MS = 40;

/**
 * Writes invitations. Each carries a secret of its own, which opens the key and proves the mailbox it went to; those that were sent
 * before go on working.
 */
export class InvitationPost {
  readonly #deps: Deps;
  #freeAt = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** To be waited for, outside of a transaction, before so many are written in one go; whoever sends a list goes at this pace. */
  async turn(mails: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now - BURST * EACH_MS) + mails * EACH_MS;
    const ms = this.#freeAt - now;
    if (ms > 0) await rest(ms, undefined, { signal }).catch(() => undefined);
  }

  /** In the caller's transaction; answers the invitee's id. */
  async write(tx: Tx, letter: Letter): Promise<string> {
    const { host, door, mails } = this.#deps;
    const { key, to, kind, inviter, message, sentBy, replyTo, ticket } = letter;
    const { text, lookup } = door.mintMailed();
    // First, as whoever joins writes to the key first: in another order the two could wait for each other.
    if (!key.isMailed) await markMailed(tx, key.id);
    const [id, at] = [newId(), host.clock.now()];
    const facts = { key, inviter, linkToken: text, message, reference: id, kind, replyTo, ticket };
    const mailId = await mails.invitation(tx, { email: to.email, locale: to.locale }, facts);
    const { email, emailNorm, locale } = to;
    await insertMailing(
      tx,
      { id, keyId: key.id, generation: key.generation, email, emailNorm, mailId, sentBy, at },
      lookup,
    );
    return noteMail(tx, {
      id: newId(),
      keyId: key.id,
      entityId: key.entityId,
      email,
      emailNorm,
      locale,
      mailId,
      at,
    });
  }

  /** Somebody who is invited by a person answers that person, as long as they are here and have proved their address. */
  async replyToOf(userId: string | null): Promise<string | null> {
    const { host } = this.#deps;
    if (userId === null || !(await host.settings.get<boolean>('replyToInviter'))) return null;
    const person = await host.users.find(userId);
    return person?.status === 'active' && person.emailProven ? person.email : null;
  }

  /** The ticket of a key that was dropped into a reply, as it is called now; as long as whoever joins by it still arrives there. */
  async ticketOf({ ticketId, landing }: InvitationKey): Promise<LetterTicket | null> {
    const number = Number(/^\/tickets\/(\d+)$/.exec(landing)?.[1]);
    if (ticketId === null || !Number.isSafeInteger(number)) return null;
    try {
      const { id, title } = await this.#deps.host.tickets.find(system, number);
      return id === ticketId ? { number, title } : null;
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }

  /** Of these addresses, those that were written to often enough for today. Counted in the database, so over all processes. */
  async tooOften(emailNorms: readonly string[]): Promise<Set<string>> {
    const { host } = this.#deps;
    const counts = await countMails(host.db, emailNorms, host.clock.now() - DAY_MS);
    return new Set([...counts].filter(([, count]) => count >= MAILS_A_DAY).map(([emailNorm]) => emailNorm));
  }
}
