import { ConflictError, InvalidInputError, type Actor, type Host, type Limit } from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import { assertAddressFits } from '../seats/refusal.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { assertMayManage } from '../keys/key-policy.ts';
import { findKey } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { InvitationPost } from './invitation-post.ts';
import { listInvitees } from './invitee-repository.ts';
import { assertOpenFor } from './round-policy.ts';
import { presentInvitee } from './round-presenter.ts';

const MOST_AT_ONCE = 50;
const SHOWN = 10;
const SENDING: Limit = { name: 'send', points: 200, perSeconds: 3600 };

interface Deps {
  host: Host;
  post: InvitationPost;
}

/** A key by mail to one more person, or to a few. Longer lists are a round. */
export class MailingService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async send(
    actor: Actor,
    keyId: string,
    { addresses, message, locale = null }: { addresses: string; message: string; locale?: string | null },
  ): Promise<number> {
    const { host, post } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    if (!host.mail.isOn) throw new ConflictError('invitation.mail_off');
    assertOpenFor(key, host.clock.now());
    const wanted = readAddresses(key.email ?? addresses);
    for (const { email, emailNorm } of wanted) assertFits(key, email, emailNorm);
    await this.#assertNotTooOften(wanted);
    if (actor.userId !== null) await this.#count(actor.userId, wanted.length);
    const [replyTo, ticket] = [await post.replyToOf(actor.userId), await post.ticketOf(key)];
    for (const to of wanted) {
      await host.transaction(async (tx) => {
        await post.write(tx, {
          key,
          to: { ...to, locale: locale ?? key.locale ?? actor.locale },
          kind: 'invitation',
          inviter: actor.name,
          message,
          sentBy: actor.userId,
          replyTo,
          ticket,
        });
        await host.audit.record(tx, actor, {
          action: 'invitation-key.mailed',
          ...subjectOf(key),
          after: { to: to.email },
        });
      });
    }
    return wanted.length;
  }

  /** The newest, for the key's own page, with what the mail server says at this moment. */
  async list(keyId: string, locale: string): Promise<object[]> {
    const { host } = this.#deps;
    const { items } = await listInvitees(host.db, { keyId }, { page: 1, perPage: SHOWN });
    const heard = await host.mail.deliveries(
      items.flatMap(({ mailId }) => (mailId === null ? [] : [mailId])),
    );
    return items.map((invitee) => {
      const now = invitee.mailId === null ? undefined : heard.get(invitee.mailId);
      const news = now === undefined ? {} : { delivery: now.state, reply: now.reply ?? now.problem };
      return presentInvitee(host, { ...invitee, ...news }, locale);
    });
  }

  async #assertNotTooOften(wanted: readonly { email: string; emailNorm: string }[]): Promise<void> {
    const tooOften = await this.#deps.post.tooOften(wanted.map(({ emailNorm }) => emailNorm));
    const one = wanted.find(({ emailNorm }) => tooOften.has(emailNorm));
    if (one) throw problem('round.too_often_address', { address: one.email });
  }

  async #count(userId: string, mails: number): Promise<void> {
    for (let one = 0; one < mails; one += 1) await this.#deps.host.limits.count(SENDING, userId);
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
