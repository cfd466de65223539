import {
  ConflictError,
  InvalidInputError,
  newId,
  type Actor,
  type Host,
  type Limit,
  type MailProgress,
} from 'latchkey/plugin-api';
import { normaliseAddress } from '../join/address.ts';
import { standingOf, type InvitationKey } from '../keys/invitation-key.ts';
import type { JoinMails } from '../join/join-mails.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import { assertMayManage } from '../keys/key-policy.ts';
import { findKey } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import { insertMailing, listMailings, type Mailing } from './mailing-repository.ts';
import { assertAddressFits } from '../join/refusal.ts';

const MOST_AT_ONCE = 50;
const SENDING: Limit = { name: 'send', points: 200, perSeconds: 3600 };

export type SentMailing = Mailing & { delivery: MailProgress | null };

interface Deps {
  host: Host;
  door: KeyDoor;
  mails: JoinMails;
}

/** Invitations by mail. Each has a second secret of its own, which also proves the mailbox it went to. */
export class MailingService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async send(
    actor: Actor,
    keyId: string,
    { addresses, message }: { addresses: string; message: string },
  ): Promise<number> {
    const { host } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    if (!host.mail.isOn) throw new ConflictError('invitation.mail_off');
    const standing = standingOf(key, host.clock.now());
    if (standing !== 'active' && standing !== 'scheduled') throw new ConflictError('invitation.not_open');
    const wanted = readAddresses(key.email ?? addresses);
    for (const { email, emailNorm } of wanted) assertFits(key, email, emailNorm);
    if (actor.userId !== null) await this.#count(actor.userId, wanted.length);
    for (const to of wanted) await this.#sendOne(actor, key, to, message);
    return wanted.length;
  }

  /** What was sent, with what the mail server said of it. */
  async list(keyId: string): Promise<SentMailing[]> {
    const { db, mail } = this.#deps.host;
    const sent = await listMailings(db, keyId);
    return Promise.all(
      sent.map(async (mailing) => ({ ...mailing, delivery: await mail.delivery(mailing.id) })),
    );
  }

  async #count(userId: string, mails: number): Promise<void> {
    for (let one = 0; one < mails; one += 1) await this.#deps.host.limits.count(SENDING, userId);
  }

  async #sendOne(
    actor: Actor,
    key: InvitationKey,
    to: { email: string; emailNorm: string },
    message: string,
  ): Promise<void> {
    const { host, door, mails } = this.#deps;
    const { text, lookup } = door.mintMailed();
    const id = newId();
    await host.transaction(async (tx) => {
      const recipient = { email: to.email, locale: key.locale ?? actor.locale };
      const facts = { key, inviter: actor.name, linkToken: text, message, reference: id };
      const mailId = await mails.invitation(tx, recipient, facts);
      const mailing = {
        id,
        keyId: key.id,
        generation: key.generation,
        ...to,
        mailId,
        sentBy: actor.userId,
        at: host.clock.now(),
      };
      await insertMailing(tx, mailing, lookup);
      await host.audit.record(tx, actor, {
        action: 'invitation-key.mailed',
        ...subjectOf(key),
        after: { to: to.email },
      });
    });
  }
}

/** As people paste them: with commas, semicolons, lines, or out of a table. */
function readAddresses(typed: string): { email: string; emailNorm: string }[] {
  const found = new Map<string, string>();
  for (const part of typed.split(/[\s,;]+/).filter((one) => one !== '')) {
    const email = part.replace(/^<|>$/g, '');
    const emailNorm = normaliseAddress(email);
    if (emailNorm === null)
      throw problem('invitation.not_an_address_in_list', { address: email.slice(0, 80) });
    found.set(emailNorm, email);
  }
  if (found.size === 0) throw problem('invitation.no_addresses');
  if (found.size > MOST_AT_ONCE) throw problem('invitation.too_many_addresses', { limit: MOST_AT_ONCE });
  return [...found].map(([emailNorm, email]) => ({ email, emailNorm }));
}

function assertFits(key: InvitationKey, email: string, emailNorm: string): void {
  try {
    assertAddressFits(key, emailNorm);
  } catch (error) {
    throw problem('invitation.address_does_not_fit', { address: email }, error);
  }
}

const problem = (
  code: string,
  params: Record<string, string | number> = {},
  cause?: unknown,
): InvalidInputError =>
  new InvalidInputError('input.invalid', { cause, fields: [{ field: 'addresses', code, params }] });
