import type { Readable } from 'node:stream';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Changing, Queryable, Tx } from '../db/database.ts';
import type {
  Contributed,
  ContributionListener,
  ContributionToken,
  EventToken,
  FilterListener,
  FilterToken,
  HookToken,
  Order,
  VetoListener,
  VetoToken,
} from '../hooks/tokens.ts';
import type { CookieChange } from '../http/reply.ts';
import type { Route, UploadedFile } from '../http/route.ts';
import type { OutboundAnswer, OutboundRequest } from '../outbound/outbound.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import type { ServiceToken } from './offered-services.ts';

/** An event as a listener gets it: at least once, after commit. */
export interface Delivery {
  eventId: string;
  at: number;
  signal: AbortSignal;
  /** Runs `work` once for this event however often it is delivered, in a transaction of the plugin's own. */
  once(work: (tx: Tx) => Promise<void>): Promise<void>;
}

export interface JobRun {
  signal: AbortSignal;
}

/** Places in our pages, and what each is about. */
export interface CoreSlots {
  'layout.banner': Record<string, never>;
  'layout.footer': Record<string, never>;
  'home.cards': Record<string, never>;
  'ticket.list': { q: string };
  'ticket.sidebar': { number: number; entityId: string };
  'ticket.reply': { number: number; entityId: string };
  'user.detail': { userId: string };
}

/** A slot's listener gives the model for its template, or null to stay away. */
export type SlotModel<C> = (context: C, actor: Actor) => object | null | Promise<object | null>;

export interface CommandContext {
  /** Whoever runs it, with every right; the audit log says `cli:<name>`. */
  actor: Actor;
  /** Words after the command's name, and its options. */
  args: readonly string[];
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** Prints a table or, with `--json`, the value itself. */
  readonly print: (value: unknown) => void;
  readonly readStdin: () => Promise<string>;
  /** A file that whoever runs the command has named. */
  readonly readFile: (path: string) => Promise<Buffer>;
}

export interface CommandDefinition {
  /** Under `latchkey`, e.g. `invite create`. */
  name: string;
  summary: string;
  /** As commander writes them: `<id>` or `[file]`. */
  args?: string;
  options?: { flags: string; description: string; default?: string }[];
  run(context: CommandContext): Promise<void>;
}

/** A user that passed filters and vetoes and whose password is hashed; `insert` writes it. */
export interface PreparedUser {
  readonly email: string;
  readonly emailNorm: string;
  readonly name: string;
  readonly locale: string;
  readonly passwordHash: string | null;
  readonly passkey?: NewPasskey;
  readonly identity?: NewIdentity;
}

/** What a browser made instead of a password, verified, and not yet anybody's. It travels as JSON. */
export interface NewPasskey {
  credentialId: string;
  publicKey: string;
  counter: number;
  transports: string[];
  rpId: string;
  backedUp: boolean;
}

/** Passkeys for people who are about to get an account. */
export interface HostPasskeys {
  /** Whether browsers make passkeys for the address of this house at all. */
  isPossible(): Promise<boolean>;
  /** The question for `navigator.credentials.create`; the cookie holds it, sealed. `binding` names what the browser must still hold. */
  offer(
    person: { email: string; name: string },
    options: { binding: string },
  ): Promise<{ options: object; cookie: CookieChange }>;
  /** What the browser answered. Each question is answered once; throws `InvalidInputError('passkey.refused')`. */
  accept(
    answer: string,
    held: { cookies: ReadonlyMap<string, string>; binding: string },
  ): Promise<NewPasskey>;
}

/** As whom a sign-in provider has named somebody who has no account yet. It travels as JSON. */
export interface NewIdentity {
  /** Through which provider: `<plugin>.<id>`. */
  provider: string;
  issuer: string;
  subject: string;
  email: string | null;
  /** The provider has seen to it that they read that mailbox. */
  emailVerified: boolean;
}

/** Sign-in providers (`sign-in.providers`) for people who are about to get an account. */
export interface HostProviders {
  /** Those there are, for buttons. */
  ways(): Promise<{ ref: string; title: string; icon: string }[]>;
  /** Whether passwords and passkeys let anybody in; if not, an account needs an `identity`. */
  isLocalOn(): Promise<boolean>;
  /**
   * Where to send the browser; it comes back to `next`, a path of ours. Whoever has an account is signed in then; whoever has none
   * is in `arrived`. `binding` names what the browser must still hold.
   */
  depart(
    ref: string,
    departure: { cookies: ReadonlyMap<string, string>; binding: string; next: string; locale: string },
  ): Promise<{ url: string; cookies: CookieChange[] }>;
  /** Who came back to this browser without an account; `title` is what the provider is called. */
  arrived(
    cookies: ReadonlyMap<string, string>,
    binding: string,
  ): { identity: NewIdentity; title: string; name: string | null } | null;
  forget(binding: string): CookieChange;
}

export interface UserDraft {
  email: string;
  name: string;
  locale?: string;
  password?: string;
}

export interface PersonFacts {
  id: string;
  email: string;
  emailNorm: string;
  name: string;
  locale: string;
  status: 'active' | 'disabled';
  /** Whether they have shown that they read that mailbox. */
  emailProven: boolean;
  createdAt: number;
}

/** What the plugins' people, and core's own edges, may do with accounts. */
export interface HostUsers {
  /** Validates, runs `user.draft` and `user.may-create`, hashes behind the gate. No transaction is open meanwhile. */
  prepare(
    draft: UserDraft,
    options: { lane: 'redeem' | 'sign-in'; hash?: string; passkey?: NewPasskey; identity?: NewIdentity },
  ): Promise<PreparedUser>;
  /** Hashes a password behind the gate without making anything else. */
  hash(password: string, options: { lane: 'redeem' | 'sign-in' }): Promise<string>;
  /** Checks form and rules of a draft, no hash: throws `InvalidInputError` with a problem per field. */
  check(draft: UserDraft): void;
  /**
   * Writes it, active; with `endsAt` it closes by itself at that time, and the person is told a week before.
   * A taken address throws `ConflictError('user.exists')`, a taken identity `ConflictError('identity.taken')`.
   */
  insert(
    tx: Tx,
    prepared: PreparedUser,
    options: { actor: Actor; emailProven: boolean; endsAt?: number | null },
  ): Promise<PersonFacts>;
  /** Whether one more account may be open; `insert` throws `ConflictError('user.no-room')` when not. */
  hasRoom(): Promise<boolean>;
  /** What else is known of somebody, by name: `phone`, `cost-centre`. */
  attributesOf(id: string): Promise<Readonly<Record<string, string>>>;
  /**
   * Sets these attributes and leaves the others; an empty value takes one away. Whoever calls has judged that `actor` may.
   * Shown on the person's page and in `GET /api/v1/users/:id` to those who may see people. Names: small letters, digits, `.`, `_`, `-`.
   */
  setAttributes(
    tx: Tx,
    actor: Actor,
    id: string,
    attributes: Readonly<Record<string, string>>,
  ): Promise<void>;
  find(id: string): Promise<PersonFacts | null>;
  findByEmail(email: string): Promise<PersonFacts | null>;
  /** By normal address, for lists of up to a few hundred; whoever has no account is left out. */
  findByEmails(emails: readonly string[]): Promise<Map<string, PersonFacts>>;
  /** By id, for lists; the missing are left out. */
  named(ids: readonly string[]): Promise<Map<string, PersonFacts>>;
  disable(tx: Tx, actor: Actor, id: string): Promise<void>;
  enable(tx: Tx, actor: Actor, id: string): Promise<void>;
  /** Forgets who it was and keeps the row that tickets point at. There is no way back. */
  anonymise(tx: Tx, actor: Actor, id: string): Promise<void>;
  /** Ids of people whose name or address has these words, as far as this actor sees them. */
  search(actor: Actor, words: string, limit: number): Promise<string[]>;
  /** People with this right in this entity, for notices to approvers. */
  withRight(right: string, entityId: string): Promise<PersonFacts[]>;
  /** The actor this person is, as the policies see it now; null when the account is gone or disabled. */
  actorOf(id: string): Promise<Actor | null>;
}

export interface GrantDraft {
  userId: string;
  profileId: string;
  entityId: string;
  recursive: boolean;
}

export interface HostMemberships {
  /** `person` where they are at hand, who need not be looked up then. */
  grant(
    tx: Tx,
    grant: GrantDraft,
    options: { actor: Actor; person?: Pick<PersonFacts, 'email'> | undefined },
  ): Promise<void>;
  addToGroup(
    tx: Tx,
    membership: { userId: string; groupId: string },
    options: { actor: Actor },
  ): Promise<void>;
  /** False when they were not in it. */
  removeFromGroup(
    tx: Tx,
    membership: { userId: string; groupId: string },
    options: { actor: Actor },
  ): Promise<boolean>;
  profiles(): Promise<
    { id: string; key: string; name: string; rights: readonly string[]; kind: 'portal' | 'staff' }[]
  >;
  entities(): Promise<{ id: string; name: string; path: string; parentId: string | null }[]>;
  groups(): Promise<{ id: string; name: string; entityId: string }[]>;
  /** Those this person belongs to. */
  groupsOf(userId: string): Promise<{ id: string; name: string; entityId: string }[]>;
  /** Whether somebody belongs to this entity already and may there all that this profile lets people do. */
  holds(userId: string, grant: Pick<GrantDraft, 'profileId' | 'entityId'>): Promise<boolean>;
  /** Whether `actor` could give this grant directly: every right of the profile in that entity, and the right to grant. */
  mayGrant(actor: Actor, grant: Omit<GrantDraft, 'userId'>): Promise<boolean>;
  mayAddToGroup(actor: Actor, groupId: string): Promise<boolean>;
}

export interface MailDraft {
  to: { email: string; name?: string };
  /** `<plugin-id>/mail/<name>` without ending: `<name>.subject.hbs`, `<name>.html.hbs`, `<name>.text.hbs`. */
  template: string;
  model: object;
  locale: string;
  /** What it is about, for the delivery list: `invitation`, `confirm-address` … */
  kind: string;
  /** Ties the mail to a row of the plugin's so that its delivery state can be shown there. */
  reference?: string;
  replyTo?: string;
}

/** What a ticket began with; `once` is the name under which this plugin has opened it. */
export interface TicketOpening {
  authorId: string | null;
  body: string;
  writtenAt: number;
  once: string | null;
}

/** A ticket, in a few facts. */
export interface TicketSummary {
  id: string;
  /** What people say: "ticket 1042". */
  number: number;
  entityId: string;
  title: string;
  status: 'new' | 'open' | 'pending' | 'on-hold' | 'solved' | 'closed';
  /** Rises with everything that happens on it. */
  version: number;
}

type Level = 1 | 2 | 3 | 4 | 5;

/** Files that go along with words: as a form brought them, or ids of the actor's own that were uploaded before. */
export interface TicketFiles {
  files?: readonly UploadedFile[];
  attachments?: readonly string[];
}

/** What is needed of a new ticket; the rest has the beginnings that the form has. */
export interface NewTicketDraft extends TicketFiles {
  title: string;
  /** Markdown. */
  description: string;
  type?: 'request' | 'incident';
  /** Where the actor is at home, unless said. */
  entityId?: string;
  categoryId?: string | null;
  urgency?: Level;
  /** Counts for whoever may `ticket.update`. */
  impact?: Level;
  /** The actor, unless said; `system` has to say. For another it takes `ticket.create-for-others`. */
  requesterId?: string;
  observers?: string[];
  /** Counts for whoever may `ticket.assign`. */
  assignees?: { users: string[]; groups: string[] };
}

/**
 * A name for a call that may have to be made again, because its answer was lost or the process ended: at most 100 characters, the
 * plugin's own. However often a call of that name comes, on however many nodes at once, it happens once, and every call is
 * answered with what the first one made.
 */
export interface Repeatable {
  once?: string;
}

export interface TicketFile {
  id: string;
  name: string;
  /** By its first bytes, never by its name. */
  mediaType: string;
  size: number;
}

/** A follow-up or a proposed solution. */
export interface TicketWords {
  id: string;
  /** The ticket's version with which it was said. */
  ticketVersion: number;
  kind: 'follow-up' | 'solution';
  /** `private`: among those who help. */
  visibility: 'public' | 'private';
  authorId: string | null;
  authorName: string;
  /** Markdown. */
  body: string;
  /** Of a solution: what the requester thinks of it. */
  state: 'proposed' | 'accepted' | 'refused' | null;
  writtenAt: number;
  files: TicketFile[];
  /** The name under which this plugin has said it; null when somebody else did. */
  once: string | null;
}

/**
 * What the plugins' people may do with tickets; every call is judged by the actor's own rights, and passes the same filters, vetoes,
 * audit and notices as their own clicks: `ticket.draft`, `ticket.may-create`, `follow-up.draft` and the rest of the catalogue.
 */
export interface HostTickets {
  find(actor: Actor, number: number): Promise<TicketSummary>;
  /**
   * Opens one. Throws `ForbiddenError('ticket.may-not-create')` where the actor may not, `InvalidInputError` with the field that does
   * not hold, `VetoError` when a plugin refuses.
   */
  create(actor: Actor, draft: NewTicketDraft, options?: Repeatable): Promise<TicketSummary>;
  /**
   * Says something in public. An answer of the requester brings a solved ticket back; on a closed one it opens another that goes on
   * with it, and that one is answered.
   */
  reply(
    actor: Actor,
    number: number,
    draft: { body: string } & TicketFiles,
    options?: Repeatable,
  ): Promise<TicketSummary>;
  /** The requester says that the proposed solution helped; closes the ticket. */
  accept(actor: Actor, number: number, options?: Repeatable): Promise<TicketSummary>;
  /**
   * What was said after `sinceVersion`, oldest first, as far as this actor may read it: private notes too where they may, so look at
   * `visibility` before anything leaves the house. `opening` is what the ticket began with, and `files` came with it. Nothing counts as
   * read by it.
   */
  conversation(
    actor: Actor,
    number: number,
    options?: { sinceVersion?: number },
  ): Promise<{ ticket: TicketSummary; opening: TicketOpening; files: TicketFile[]; said: TicketWords[] }>;
  /** The bytes of a file on a ticket that this actor may see. */
  openFile(actor: Actor, id: string): Promise<TicketFile & { content: Readable }>;
  /** The address of whom it was written down for, who has no account; null when nobody, or when that is none of this actor's business. */
  correspondent(actor: Actor, number: number): Promise<string | null>;
  /** Whether this actor may note somebody without an account as the one it is about. */
  mayNoteCorrespondent(actor: Actor, number: number): Promise<boolean>;
  noteCorrespondent(actor: Actor, number: number, email: string): Promise<void>;
  /**
   * They have an account now: `ticketId`, and with a proven address all that waited for it, become theirs.
   * In the transaction that makes the account. Answers how many.
   */
  adopt(
    tx: Tx,
    actor: Actor,
    who: { userId: string; ticketId: string | null; emailNorm: string | null },
  ): Promise<number>;
}

export interface HostMail {
  /** Whether SMTP is configured; without it links are shown to people instead. */
  readonly isOn: boolean;
  /** Writes the message, sealed, in this transaction; it leaves after commit. Returns its id. */
  queue(tx: Tx, draft: MailDraft): Promise<string>;
  /** How the newest mail with this reference fares, and what the SMTP server said. */
  delivery(reference: string): Promise<MailProgress | null>;
  /** The same for many, by the ids that `queue` gave; what the house has forgotten is left out. */
  deliveries(mailIds: readonly string[]): Promise<Map<string, MailProgress>>;
}

export interface MailProgress {
  state: 'queued' | 'sending' | 'handed-over' | 'failed' | 'dead' | 'off';
  leftAt: number | null;
  reply: string | null;
  problem: string | null;
}

export interface AuditEntry {
  /** `invitation-key.minted`. */
  action: string;
  subject: { type: string; id: string; label: string };
  entityId?: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
  /** Client facts, cut to what may be kept. */
  network?: string;
}

export interface HostAudit {
  record(tx: Tx, actor: Actor, entry: AuditEntry): Promise<void>;
  /** Newest first; `before` is the id of the oldest entry that is known already. */
  history(
    subject: { type: string; id: string },
    options?: { limit?: number; before?: string; actions?: readonly string[] },
  ): Promise<AuditRecord[]>;
}

export interface AuditRecord {
  id: string;
  at: number;
  actorName: string;
  actorId: string | null;
  action: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  node: string | null;
}

export interface HostSessions {
  /** Starts a session for an active account; the cookie travels with the reply. */
  start(
    userId: string,
    facts: { ip: string; userAgent: string },
  ): Promise<{ cookie: { name: string; value: string; maxAge: number } }>;
}

/** Something a plugin lets people hear of, by bell and by mail, as each of them chooses. */
export interface NoticeKind {
  /** Begins with the plugin's id: `registration-key.joined`. */
  id: string;
  /** The sentence, an i18n key with its namespace; gets the notice's params. */
  text: string;
  /** What people's own settings call it, an i18n key with its namespace. */
  label: string;
  icon: string;
  /** Until a person chooses otherwise. */
  bell: boolean;
  mail: boolean;
}

export interface Notice {
  userIds: readonly string[];
  kind: string;
  subject: { type: string; id: string };
  entityId?: string;
  /** A path of ours. */
  link: string;
  params: Record<string, string | number>;
  /** The letter for those who want one by mail; without it a short general one is sent. */
  mail?: { template: string; model: object };
}

export interface HostNotices {
  /** Before anybody can be told of it; gone with the plugin. */
  addKind(kind: NoticeKind): void;
  notify(tx: Tx, notice: Notice): Promise<void>;
}

/** Calls to other machines, with a deadline, a cap and a guard against addresses inside. The manifest says under `net` whom it may call. */
export interface HostOutbound {
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Null when the address could be called, else in a few words why not. */
  problemOf(url: string): string | null;
}

export interface Limit {
  /** What is counted, e.g. `check`. */
  name: string;
  /** Points per window, and the window in seconds. */
  points: number;
  perSeconds: number;
}

export interface HostLimits {
  /** Counts one against `key`; throws `TooManyError` with `retryAfter` when there were too many. */
  count(limit: Limit, key: string): Promise<void>;
  /** Throws when the limit is reached, counts nothing. */
  check(limit: Limit, key: string): Promise<void>;
}

export interface SiteFacts {
  organisation: string;
  /** Scheme and host for links. */
  origin: string;
  locale: string;
  /** IANA name, e.g. `Europe/Paris`. */
  timeZone: string;
  /** Whether nobody may join for now, and whom newcomers are told to ask. */
  registration: { isPaused: boolean; contact: string };
}

/**
 * All that a plugin can do. Everything registered here is undone by the host when the plugin is disabled,
 * last thing first; after that the host object is dead and says so.
 */
export interface Host {
  readonly plugin: { readonly id: string; readonly version: string };
  readonly clock: Clock;
  /** What this process is called, for evidence. */
  readonly node: string;
  readonly log: {
    info(facts: object, message: string): void;
    warn(facts: object, message: string): void;
    error(facts: object, message: string): void;
  };
  /** Aborted when the plugin is disabled. */
  readonly signal: AbortSignal;

  filter<V, C>(token: FilterToken<V, C>, listener: FilterListener<V, C>, order?: Order): void;
  veto<C>(token: VetoToken<C>, listener: VetoListener<C>, order?: Order): void;
  on<P>(token: EventToken<P>, listener: (payload: P, delivery: Delivery) => void | Promise<void>): void;
  /** Adds something where a hook collects: one's thing, or null to stay away. */
  contribute<T, C>(token: ContributionToken<T, C>, listener: ContributionListener<T, C>, order?: Order): void;
  /** Puts hooks of one's own into the catalogue (`latchkey hooks`), before anybody listens to them. */
  provideHooks(tokens: readonly HookToken[]): void;
  /** What others add to a place of one's own. */
  gather<T, C>(token: ContributionToken<T, C>, context: C): Promise<readonly Contributed<T>[]>;
  /** Runs a filter of one's own through its listeners. */
  applyFilter<V, C>(token: FilterToken<V, C>, value: V, context: C): Promise<V>;
  /** Asks a veto of one's own; throws `VetoError` with the reason of the first listener that refuses. */
  askVeto<C>(token: VetoToken<C>, context: C): Promise<void>;
  /** Tells an event of one's own, in this transaction; listeners hear of it after commit. */
  emit<P>(tx: Tx, token: EventToken<P>, payload: P, about: { aggregate: string }): Promise<void>;

  /** Pages under `/p/<id>` or a claimed path; API under `/api/p/<id>` or a claimed `/api/v1/…` path. */
  routes(routes: readonly Route[]): void;
  /** Renders `template` where `slot` stands, with the model this listener gives. */
  slot<N extends keyof CoreSlots>(slot: N, template: string, model: SlotModel<CoreSlots[N]>): void;
  /** A place in another plugin's pages. */
  slot<C>(slot: string, template: string, model: SlotModel<C>): void;
  /** The handler of a job that `plugin.json` declares. */
  job(id: string, run: (run: JobRun) => Promise<void>): void;
  command(definition: CommandDefinition): void;
  /** Does something for other plugins; the token's name begins with this one's id. */
  provide<T extends object>(token: ServiceToken<T>, service: T): void;
  /**
   * Has another plugin do something; `dependencies` in `plugin.json` names that one. It is looked for at every call, and while it is away
   * a call throws `UnavailableError('plugin.service-missing')`; where only other versions are there, `plugin.service-version`.
   */
  use<T extends object>(token: ServiceToken<T>): T;
  /** Whether a service is there at this moment. */
  isOffered<T extends object>(token: ServiceToken<T>): boolean;
  /** Runs when the plugin is disabled, just after `signal`, while the host still answers; for what the host cannot see. */
  onDispose(task: () => void | Promise<void>): void;

  /** Reading. */
  readonly db: Queryable & Changing;
  /** A transaction of the plugin's own; rolled back and blamed after 5 s. The use cases below accept its `tx`. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;

  readonly users: HostUsers;
  readonly passkeys: HostPasskeys;
  readonly providers: HostProviders;
  readonly memberships: HostMemberships;
  readonly mail: HostMail;
  readonly tickets: HostTickets;
  readonly audit: HostAudit;
  readonly sessions: HostSessions;
  readonly limits: HostLimits;
  readonly notices: HostNotices;
  readonly outbound: HostOutbound;
  /** Keyed digests and sealed copies under keys of this plugin's own. */
  readonly keys: KeyRing;
  /** The plugin's settings as `plugin.json` declares them, parsed, with defaults. */
  readonly settings: { get<T>(name: string): Promise<T> };
  site(): Promise<SiteFacts>;
  /** Whether this page of the house exists and would open for somebody: before leading them there. Never an address elsewhere. */
  mayVisit(userId: string, path: string): Promise<boolean>;
  /** A text in the plugin's namespace. */
  t(key: string, params: Record<string, string | number>, locale: string): string;
}

export type PluginSetup = (host: Host) => void | Promise<void>;
/** What `definePlugin` makes. */
export interface Plugin {
  readonly setup: PluginSetup;
}
