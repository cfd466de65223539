import type { Readable } from 'node:stream';
import {
  ForbiddenError,
  InvalidInputError,
  KnownError,
  NotFoundError,
  type Actor,
  type Host,
  type TicketFile,
  type TicketSummary,
  type TicketWords,
  type UploadedFile,
} from 'latchkey/plugin-api';
import type { Shown } from '../subscription-service.ts';
import {
  findRequest,
  findRequestAt,
  insertRequest,
  moveRequest,
  type SupportRequest,
} from './support-repository.ts';

/** A helpdesk that has shown a valid key, and says which installation it is. */
export type Asking = Shown & { state: 'valid' } & { uid: string };

export interface Opening {
  id: string;
  title: string;
  body: string;
  /** Who wrote it at the customer's. */
  author: string;
  plugin: string | null;
  diagnostics: string;
}

export interface Further {
  id: string;
  kind: 'reply' | 'accept';
  body: string;
  author: string;
}

/** What a helpdesk knows of a request. */
export interface Known {
  id: string;
  reference: string;
  version: number;
}

export interface Standing {
  id: string;
  reference: string;
  status: string;
}

/** What is new of one; `isKnown` is false when there is none of that id for this helpdesk. */
export type News =
  { id: string; isKnown: false } | (Standing & { isKnown: true; version: number; said: SaidByVendor[] });

export interface SaidByVendor {
  id: string;
  kind: 'follow-up' | 'solution';
  author: string;
  body: string;
  writtenAt: number;
  files: TicketFile[];
}

type Conversation = Awaited<ReturnType<Host['tickets']['conversation']>>;
type Told = Pick<
  TicketWords,
  'id' | 'kind' | 'authorName' | 'body' | 'writtenAt' | 'files' | 'ticketVersion'
>;

/** What an offer must have for its customers to ask us. */
export const SUPPORT = 'support';
export const MOST_FILES = 5;
export const MOST_BYTES = 10 * 1024 * 1024;
const MOST_SAID = 50;
const LONGEST_NAME = 200;

/** Support requests of helpdesks: tickets of this house, opened and followed by the customers' own accounts. */
export class SupportDesk {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** However often it comes in, it is one ticket. */
  async open(asking: Asking, opening: Opening, files: readonly UploadedFile[]): Promise<Standing> {
    const { subscription, uid } = asking;
    const { userId } = subscription;
    const { id, title, plugin } = opening;
    if (!(await findRequest(this.#host.db, { userId, id }))) assertIncluded(asking);
    assertSmall(files);
    const speaker = await this.#speaker(asking, opening.author);
    const draft = { title, description: described(opening), files };
    const ticket = await this.#host.tickets.create(speaker, draft, { once: tokenOf(userId, id) });
    const askedAt = this.#host.clock.now();
    const request = {
      userId,
      id,
      uid,
      subscriptionId: subscription.id,
      number: ticket.number,
      ticketId: ticket.id,
      plugin,
      askedAt,
    };
    await this.#host.transaction((tx) => insertRequest(tx, request));
    const { number } = await this.#mine(asking, id);
    return standingOf(id, { ...ticket, number });
  }

  /** What is open is followed to its end, also when the offer has ended meanwhile. */
  async say(
    asking: Asking,
    requestId: string,
    { id, kind, body, author }: Further,
    files: readonly UploadedFile[],
  ): Promise<Standing> {
    const { userId, number } = await this.#mine(asking, requestId);
    assertSmall(files);
    const speaker = await this.#speaker(asking, author);
    const { tickets } = this.#host;
    const once = { once: tokenOf(userId, id) };
    const ticket =
      kind === 'accept'
        ? await tickets.accept(speaker, number, once)
        : await tickets.reply(speaker, number, { body, files }, once);
    if (ticket.number !== number) await this.#move({ userId, id: requestId }, ticket);
    return standingOf(requestId, ticket);
  }

  /** Somebody has answered a closed ticket here and not at the helpdesk: the request goes on where they did. */
  async goOn({
    followsId,
    ...ticket
  }: {
    id: string;
    number: number;
    followsId: string | null;
  }): Promise<void> {
    const request = followsId === null ? null : await findRequestAt(this.#host.db, followsId);
    if (request) await this.#move(request, ticket);
  }

  /** Of these requests, those of which the helpdesk has not seen the last. */
  async news(asking: Asking, known: readonly Known[]): Promise<News[]> {
    const news: News[] = [];
    for (const one of known) {
      const found = await this.#newsOf(asking, one);
      if (found) news.push(found);
    }
    return news;
  }

  async file(asking: Asking, requestId: string, fileId: string): Promise<TicketFile & { content: Readable }> {
    const { number } = await this.#mine(asking, requestId);
    const customer = await this.#customer(asking);
    const said = await this.#said(await this.#host.tickets.conversation(customer, number));
    if (!said.some(({ files }) => files.some(({ id }) => id === fileId)))
      throw new NotFoundError('hub.no-such-file');
    return this.#host.tickets.openFile(customer, fileId);
  }

  async #newsOf(asking: Asking, { id, reference, version }: Known): Promise<News | null> {
    try {
      const { number } = await this.#mine(asking, id);
      const customer = await this.#customer(asking);
      const sinceVersion = reference === String(number) ? version : 0;
      if ((await this.#host.tickets.find(customer, number)).version === sinceVersion) return null;
      const told = await this.#host.tickets.conversation(customer, number, { sinceVersion });
      const said = sinceVersion === 0 ? await this.#said(told) : told.said.filter(isForCustomer);
      return newsOf(id, told.ticket, said);
    } catch (error) {
      if (error instanceof KnownError && (error.kind === 'not-found' || error.kind === 'forbidden'))
        return { id, isKnown: false };
      throw error;
    }
  }

  /** All that a helpdesk has not said itself; of a ticket that was opened here, what it began with too. */
  async #said({ ticket, opening, files, said }: Conversation): Promise<Told[]> {
    const further = said.filter(isForCustomer);
    if (opening.once !== null) return further;
    const { authorId, body, writtenAt } = opening;
    const people = await this.#host.users.named(authorId === null ? [] : [authorId]);
    const authorName = people.get(authorId ?? '')?.name ?? '';
    return [
      { id: ticket.id, kind: 'follow-up', authorName, body, writtenAt, files, ticketVersion: 0 },
      ...further,
    ];
  }

  #move(
    request: Pick<SupportRequest, 'userId' | 'id'>,
    ticket: { id: string; number: number },
  ): Promise<void> {
    const { userId, id } = request;
    const { number, id: ticketId } = ticket;
    return this.#host.transaction((tx) => moveRequest(tx, { userId, id, number, ticketId }));
  }

  /** Another customer's, or another installation's, does not exist. */
  async #mine({ subscription, uid }: Asking, id: string): Promise<SupportRequest> {
    const request = await findRequest(this.#host.db, { userId: subscription.userId, id });
    if (request?.uid !== uid) throw new NotFoundError('hub.no-such-request');
    return request;
  }

  async #customer({ subscription }: Asking): Promise<Actor> {
    const customer = await this.#host.users.actorOf(subscription.userId);
    if (!customer) throw new ForbiddenError('hub.customer-gone');
    return customer;
  }

  /** The customer's account, by the name of the person who wrote. */
  async #speaker(asking: Asking, author: string): Promise<Actor> {
    const customer = await this.#customer(asking);
    const { owner } = asking.subscription;
    return { ...customer, name: `${author} (${owner})`.slice(0, LONGEST_NAME) };
  }
}

/** Private notes stay here, and what came from over there is not sent back (ruling 42). */
const isForCustomer = ({ visibility, once }: TicketWords): boolean =>
  visibility === 'public' && once === null;

/** A long conversation comes in pieces: the version is that of the last thing that is told. */
function newsOf(id: string, ticket: TicketSummary, all: readonly Told[]): News {
  const told = all.slice(0, MOST_SAID);
  return {
    ...standingOf(id, ticket),
    isKnown: true,
    version: all.length > told.length ? (told.at(-1)?.ticketVersion ?? 0) : ticket.version,
    said: told.map(({ id: saidId, kind, authorName, body, writtenAt, files }) => ({
      id: saidId,
      kind,
      author: authorName,
      body,
      writtenAt,
      files,
    })),
  };
}

/** That we wait for somebody else is no concern of the customer's. */
const standingOf = (id: string, { number, status }: Pick<TicketSummary, 'number' | 'status'>): Standing => ({
  id,
  reference: String(number),
  status: status === 'on-hold' ? 'open' : status,
});

/** Ids are made up elsewhere: two customers may come with the same one. */
const tokenOf = (userId: string, id: string): string => `support-${userId}-${id}`;

/** Indented, so that nothing in it is taken for Markdown. */
function described({ body, plugin, diagnostics }: Opening): string {
  const facts = [
    ...(plugin === null ? [] : [`Plugin: ${plugin}`]),
    ...diagnostics.split('\n').filter((line) => line.trim() !== ''),
  ];
  return facts.length === 0 ? body : `${body}\n\n${facts.map((line) => `    ${line}`).join('\n')}`;
}

function assertIncluded({ offer, isRunning }: Asking): void {
  if (!isRunning) throw new ForbiddenError('hub.support-ended');
  if (!offer.features.includes(SUPPORT)) throw new ForbiddenError('hub.support-not-included');
}

function assertSmall(files: readonly UploadedFile[]): void {
  const size = files.reduce((sum, one) => sum + one.size, 0);
  if (files.length > MOST_FILES || size > MOST_BYTES)
    throw new InvalidInputError('hub.support-files', {
      params: { files: MOST_FILES, megabytes: MOST_BYTES / 1024 / 1024 },
    });
}
