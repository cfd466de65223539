import { type Actor, type Host, type UploadedFile } from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import { lastOfTicket } from '../keys/key-repository.ts';
import type { KeyService, ShownKey } from '../keys/key-service.ts';
import { DAY_MS } from '../keys/key-terms.ts';
import type { MailingService } from '../mailings/mailing-service.ts';

export interface TicketInvitation {
  email: string;
  /** What is said on the ticket and in the mail. */
  body: string;
  attachments: readonly string[];
  files: readonly UploadedFile[];
}

interface Deps {
  host: Host;
  keys: KeyService;
  mailings: MailingService;
}

const DAYS = 14;

/** One place for the person a ticket is about: whoever joins by it gets the ticket, and arrives there. */
export class TicketKeys {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Whether this actor is offered to invite somebody from this ticket. */
  async mayInvite(
    actor: Actor,
    { number, entityId }: { number: number; entityId: string },
  ): Promise<boolean> {
    const mayMint = ['registration-key.mint', 'registration-key.invite'].some((right) =>
      actor.can(right, entityId),
    );
    return mayMint && (await this.#deps.host.tickets.mayNoteCorrespondent(actor, number));
  }

  /** When the person was invited whose address waits at this ticket. */
  async invitedAt(actor: Actor, number: number, email: string): Promise<number | null> {
    const { host } = this.#deps;
    const { id } = await host.tickets.find(actor, number);
    return lastOfTicket(host.db, { ticketId: id, emailNorm: normaliseAddress(email) ?? email });
  }

  /** The key, the address at the ticket, the reply and the mail. The secret goes into the mail only, never into the ticket. */
  async invite(actor: Actor, number: number, { email, body, ...files }: TicketInvitation): Promise<ShownKey> {
    const { host, keys, mailings } = this.#deps;
    const ticket = await host.tickets.find(actor, number);
    const plan = await keys.mayMint(actor, {
      label: `#${String(number)} ${ticket.title}`.slice(0, 120),
      email,
      maxUses: 1,
      expiresAt: host.clock.now() + DAYS * DAY_MS,
      entity: ticket.entityId,
      landing: `/tickets/${String(number)}`,
    });
    await host.tickets.noteCorrespondent(actor, number, email);
    const drawn = keys.draw(actor, plan, { showOnce: false });
    const key = { ...drawn.key, ticketId: ticket.id };
    await keys.keep(actor, [{ ...drawn, key }]);
    if (body !== '') await host.tickets.reply(actor, number, { body, ...files });
    if (host.mail.isOn) await mailings.send(actor, key.id, { addresses: '', message: body.slice(0, 1000) });
    const { origin } = await host.site();
    return { key, text: drawn.text, url: `${origin}/join/${drawn.text}` };
  }
}
