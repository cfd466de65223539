import type { Readable } from 'node:stream';
import type { Queryable, Tx } from '../db/database.ts';
import type { UploadedFile } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import { NotFoundError } from '../shared/errors.ts';
import type { Attachment } from './attachment.ts';
import { OnceRegister } from './once-register.ts';
import { tokenOf, tokensOn, type Once } from './once-repository.ts';
import type { NewTicket } from './ticket-service.ts';
import type { TicketServices } from './ticket-services.ts';
import { findTicketById } from './ticket-repository.ts';
import type { Ticket } from './ticket.ts';
import type { TimelineEntry } from './timeline.ts';

/** A ticket, as far as plugins are told of it. */
type TicketRef = Pick<Ticket, 'id' | 'number' | 'entityId' | 'title' | 'status' | 'version'>;
type SaidOnTicket = Pick<
  TimelineEntry,
  'id' | 'ticketVersion' | 'visibility' | 'authorId' | 'authorName' | 'body' | 'state' | 'writtenAt'
> & {
  kind: 'follow-up' | 'solution';
  files: FileOnTicket[];
  once: string | null;
};

/** What a ticket began with. */
interface Opening {
  authorId: string | null;
  body: string;
  writtenAt: number;
  once: string | null;
}

type FileOnTicket = Pick<Attachment, 'id' | 'name' | 'mediaType' | 'size'>;
interface WithFiles {
  attachments?: readonly string[];
  files?: readonly UploadedFile[];
}

/** Tickets as one plugin may use them. */
export class TicketsForPlugins {
  readonly #services: TicketServices;
  readonly #db: Queryable;
  readonly #plugin: string;
  readonly #register: OnceRegister;

  constructor(services: TicketServices, { db, plugin }: { db: Queryable; plugin: string }) {
    this.#services = services;
    this.#db = db;
    this.#plugin = plugin;
    this.#register = new OnceRegister(db);
  }

  async find(actor: Actor, number: number): Promise<TicketRef> {
    return refOf(await this.#services.tickets.find(actor, number));
  }

  async create(
    actor: Actor,
    {
      files = [],
      attachments = [],
      ...draft
    }: Omit<NewTicket, 'once' | 'attachments' | 'followsId'> & WithFiles,
    options: { once?: string } = {},
  ): Promise<TicketRef> {
    const once = this.#named(options.once);
    const { ticketId } = await this.#register.run(once, async () => {
      const all = await this.#kept(actor, { files, attachments });
      const { id } = await this.#services.tickets.create(actor, { ...draft, attachments: all, once });
      return { ticketId: id, entryId: null };
    });
    return this.#ref(ticketId);
  }

  async reply(
    actor: Actor,
    number: number,
    { body, ...files }: { body: string } & WithFiles,
    options: { once?: string } = {},
  ): Promise<TicketRef> {
    const once = this.#named(options.once);
    const { ticketId } = await this.#register.run(once, async () => {
      const attachments = await this.#kept(actor, files);
      const said = { body, visibility: 'public' as const, attachments, once };
      const { ticket, entry } = await this.#services.followUps.add(actor, number, said);
      return { ticketId: ticket.id, entryId: entry?.id ?? null };
    });
    return this.#ref(ticketId);
  }

  async accept(actor: Actor, number: number, options: { once?: string } = {}): Promise<TicketRef> {
    const once = this.#named(options.once);
    const { ticketId } = await this.#register.run(once, async () => {
      const { id } = await this.#services.solutions.accept(actor, number, { once });
      return { ticketId: id, entryId: null };
    });
    return this.#ref(ticketId);
  }

  async conversation(
    actor: Actor,
    number: number,
    { sinceVersion = 0 }: { sinceVersion?: number } = {},
  ): Promise<{ ticket: TicketRef; opening: Opening; files: FileOnTicket[]; said: SaidOnTicket[] }> {
    const { ticket, entries, attachments } = await this.#services.followUps.conversation(actor, number);
    const tokens = await tokensOn(this.#db, ticket.id, this.#plugin);
    const filesOf = (entryId: string | null): FileOnTicket[] =>
      attachments.filter((one) => one.entryId === entryId).map(fileOf);
    const said = entries.flatMap(({ kind, ...entry }) =>
      kind === 'change' || entry.ticketVersion <= sinceVersion
        ? []
        : [{ ...entry, kind, files: filesOf(entry.id), once: tokens.get(entry.id) ?? null }],
    );
    const { createdById: authorId, description: body, createdAt: writtenAt } = ticket;
    const opening = { authorId, body, writtenAt, once: await tokenOf(this.#db, ticket.id, this.#plugin) };
    return { ticket: refOf(ticket), opening, files: filesOf(null), said };
  }

  async openFile(actor: Actor, id: string): Promise<FileOnTicket & { content: Readable }> {
    const { attachment, content } = await this.#services.attachments.open(actor, id);
    return { ...fileOf(attachment), content };
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

  adopt(
    tx: Tx,
    actor: Actor,
    who: { userId: string; ticketId: string | null; emailNorm: string | null },
  ): Promise<number> {
    return this.#services.correspondents.adopt(tx, actor, who);
  }

  async #kept(actor: Actor, { files = [], attachments = [] }: WithFiles): Promise<string[]> {
    const kept = await this.#services.attachments.keep(actor, files);
    return [...attachments, ...kept.map(({ id }) => id)];
  }

  /** What one plugin has done once is no concern of another's. */
  #named(token: string | undefined): Once | undefined {
    return token === undefined ? undefined : { owner: this.#plugin, token };
  }

  async #ref(ticketId: string): Promise<TicketRef> {
    const ticket = await findTicketById(this.#db, ticketId);
    if (!ticket) throw new NotFoundError('ticket.unknown');
    return refOf(ticket);
  }
}

const refOf = ({ id, number, entityId, title, status, version }: Ticket): TicketRef => ({
  id,
  number,
  entityId,
  title,
  status,
  version,
});

const fileOf = ({ id, name, mediaType, size }: Attachment): FileOnTicket => ({ id, name, mediaType, size });
