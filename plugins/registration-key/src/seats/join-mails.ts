import { TooManyError, type Host, type Limit, type PersonFacts, type Tx } from 'latchkey/plugin-api';
import type { InvitationKey, PauseReason } from '../keys/invitation-key.ts';
import type { AccessRequest } from '../requests/access-request.ts';

/** Over all keys, so that nobody's mailbox is filled by strangers. */
const TO_ONE_ADDRESS: Limit = { name: 'join-mail', points: 3, perSeconds: 86_400 };

export interface Recipient {
  email: string;
  name?: string;
  locale: string;
}

/** The ticket that somebody is invited to, so that they know what it is about before they open a link. */
export interface LetterTicket {
  number: number;
  title: string;
}

/** Everything this plugin writes to people. All of it goes into the outbox, in the transaction of what it is about. */
export class JoinMails {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    for (const [name, icon] of Object.entries(administratorNotices))
      host.notices.addKind({
        id: `${host.plugin.id}.${name}`,
        text: `registration-key:notice.${name}`,
        label: `registration-key:notice-kind.${name}`,
        icon,
        bell: true,
        mail: true,
      });
  }

  /** Whether one more may go to this address today; the answer is the same for addresses with and without an account. */
  async mayWriteTo(addressDigest: Buffer): Promise<boolean> {
    if (!this.#host.mail.isOn) return false;
    try {
      await this.#host.limits.count(TO_ONE_ADDRESS, addressDigest.toString('hex'));
      return true;
    } catch (error) {
      if (error instanceof TooManyError) return false;
      throw error;
    }
  }

  confirmAddress(
    tx: Tx,
    to: Recipient,
    facts: { code: string; linkToken: string; reference: string },
  ): Promise<void> {
    return this.#send(tx, 'confirm-address', to, facts.reference, ({ origin }) => ({
      name: to.name,
      code: `${facts.code.slice(0, 3)} ${facts.code.slice(3)}`,
      link: `${origin}/join/confirm/${facts.linkToken}`,
      minutes: 15,
      hours: 24,
    }));
  }

  alreadyHaveAccount(tx: Tx, to: Recipient, reference: string): Promise<void> {
    return this.#send(tx, 'already-have-account', to, reference, ({ origin }) => ({
      name: to.name,
      signIn: `${origin}/login`,
      reset: `${origin}/forgot`,
    }));
  }

  approvalNeeded(
    tx: Tx,
    to: readonly PersonFacts[],
    { key, ...facts }: { person: string; email: string; key: InvitationKey },
  ): Promise<void> {
    return this.#tell(tx, 'approval-needed', to, {
      key,
      link: '/invitation-keys/approvals',
      params: { ...facts, label: key.label },
    });
  }

  welcome(
    tx: Tx,
    to: Recipient,
    facts: { approved: boolean; reference: string; landing: string },
  ): Promise<void> {
    const template = facts.approved ? 'approved' : 'welcome';
    return this.#send(tx, template, to, facts.reference, ({ origin }) => ({
      name: to.name,
      email: to.email,
      link: `${origin}${facts.landing}`,
    }));
  }

  declined(tx: Tx, to: Recipient, facts: { reason: string; reference: string }): Promise<void> {
    return this.#send(tx, 'declined', to, facts.reference, () => ({ name: to.name, reason: facts.reason }));
  }

  askedForNew(
    tx: Tx,
    to: readonly PersonFacts[],
    { key, request: { id, name, email, message } }: { key: InvitationKey; request: AccessRequest },
  ): Promise<void> {
    return this.#tell(tx, 'asked-for-new', to, {
      key,
      link: `/invitation-keys/requests/${id}`,
      params: { person: name, label: key.label },
      words: { email, message },
    });
  }

  requestDeclined(tx: Tx, to: AccessRequest, reason: string): Promise<void> {
    return this.#send(tx, 'request-declined', to, to.id, () => ({ name: to.name, reason }));
  }

  /** The owner reads why newcomers are being turned away. */
  keyPaused(
    tx: Tx,
    to: readonly PersonFacts[],
    { key, reason }: { key: InvitationKey; reason: PauseReason },
  ): Promise<void> {
    return this.#tell(tx, 'paused', to, {
      key,
      link: `/invitation-keys/${key.id}`,
      params: { label: key.label === '' ? key.hint : key.label },
      words: { reason },
    });
  }

  /** The first, and the one that reminds; each with a link of its own. */
  invitation(
    tx: Tx,
    to: Recipient,
    facts: {
      key: InvitationKey;
      inviter: string;
      linkToken: string;
      message: string;
      reference: string;
      kind?: 'invitation' | 'reminder';
      replyTo?: string | null;
      ticket?: LetterTicket | null;
    },
  ): Promise<string> {
    const { key, kind = 'invitation', inviter, message, linkToken, reference, replyTo = null } = facts;
    const { ticket = null } = facts;
    return this.#queue(
      tx,
      kind === 'reminder' ? 'invitation-reminder' : kind,
      to,
      reference,
      ({ origin }) => ({
        inviter,
        message: message.split(/\r?\n/),
        hasMessage: message !== '',
        link: `${origin}/join/${linkToken}`,
        expiresAt: key.expiresAt,
        notBefore: key.notBefore,
        ticket,
        about: ticket === null ? 'subject' : 'subject-ticket',
      }),
      replyTo,
    );
  }

  /** By bell and by mail, as each of them has chosen; `words` stand in the mail only. */
  async #tell(
    tx: Tx,
    name: AdministratorNotice,
    to: readonly PersonFacts[],
    { key, link, params, words = {} }: News,
  ): Promise<void> {
    const host = this.#host;
    const { organisation, timeZone, origin } = await host.site();
    await host.notices.notify(tx, {
      userIds: to.map(({ id }) => id),
      kind: `${host.plugin.id}.${name}`,
      subject: { type: 'invitation-key', id: key.id },
      entityId: key.entityId,
      link,
      params,
      mail: {
        template: `${host.plugin.id}/mail/${name}`,
        model: { ...params, ...words, link: `${origin}${link}`, organisation, timeZone },
      },
    });
  }

  async #send(tx: Tx, name: string, to: Recipient, reference: string, model: Model): Promise<void> {
    if (this.#host.mail.isOn) await this.#queue(tx, name, to, reference, model);
  }

  async #queue(
    tx: Tx,
    name: string,
    to: Recipient,
    reference: string,
    model: Model,
    replyTo: string | null = null,
  ): Promise<string> {
    const site = await this.#host.site();
    return this.#host.mail.queue(tx, {
      to: { email: to.email, ...(to.name === undefined ? {} : { name: to.name }) },
      template: `${this.#host.plugin.id}/mail/${name}`,
      model: { ...model(site), organisation: site.organisation, timeZone: site.timeZone },
      locale: to.locale,
      kind: name,
      reference,
      ...(replyTo === null ? {} : { replyTo }),
    });
  }
}

/** What administrators are told of, and its icon. */
const administratorNotices = {
  'approval-needed': 'user-check',
  'asked-for-new': 'message',
  paused: 'pause',
} as const;
type AdministratorNotice = keyof typeof administratorNotices;

interface News {
  key: InvitationKey;
  link: string;
  params: Record<string, string>;
  words?: Record<string, string>;
}

type Model = (site: { origin: string }) => Record<string, unknown>;
