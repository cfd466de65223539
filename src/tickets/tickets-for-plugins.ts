import type { Tx } from '../db/database.ts';
import type { UploadedFile } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import type { TicketServices } from './ticket-services.ts';

/** Tickets as plugins may use them. */
export class TicketsForPlugins {
  readonly #services: TicketServices;

  constructor(services: TicketServices) {
    this.#services = services;
  }

  async find(
    actor: Actor,
    number: number,
  ): Promise<{ id: string; number: number; entityId: string; title: string }> {
    const { id, entityId, title } = await this.#services.tickets.find(actor, number);
    return { id, number, entityId, title };
  }

  async correspondent(actor: Actor, number: number): Promise<string | null> {
    const { tickets, correspondents } = this.#services;
    return correspondents.of(actor, await tickets.find(actor, number));
  }

  async mayNoteCorrespondent(actor: Actor, number: number): Promise<boolean> {
    const { tickets, correspondents } = this.#services;
    const ticket = await tickets.find(actor, number);
    return ticket.status !== 'closed' && (await correspondents.mayNote(actor, ticket));
  }

  async noteCorrespondent(actor: Actor, number: number, email: string): Promise<void> {
    await this.#services.correspondents.note(actor, number, email);
  }

  async reply(
    actor: Actor,
    number: number,
    {
      body,
      attachments,
      files,
    }: { body: string; attachments: readonly string[]; files: readonly UploadedFile[] },
  ): Promise<void> {
    const kept = await this.#services.attachments.keep(actor, files);
    await this.#services.followUps.add(actor, number, {
      body,
      visibility: 'public',
      attachments: [...attachments, ...kept.map(({ id }) => id)],
    });
  }

  adopt(
    tx: Tx,
    actor: Actor,
    who: { userId: string; ticketId: string | null; emailNorm: string | null },
  ): Promise<number> {
    return this.#services.correspondents.adopt(tx, actor, who);
  }
}
