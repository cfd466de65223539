/**
 * All that a plugin may import: `import { definePlugin } from 'latchkey/plugin-api'`. What is not here is private, and may change at any time.
 * The module holds no state, so that it does not matter how often it is loaded; hooks are recognised by their names.
 */
import type { Plugin, PluginSetup } from './plugin-host/host.ts';

/**
 * What a plugin's main file exports by default. Everything registered through `host` is undone when the plugin is disabled.
 *
 * @example
 * export default definePlugin((host) => {
 *   host.routes([route({ method: 'get', path: '/p/hello', access: 'signed-in', handler: () => view('hello/hello') })]);
 * });
 */
export const definePlugin = (setup: PluginSetup): Plugin => ({ setup });

/**
 * One step of the plugin's schema, in `migrations/0001-notes.ts`. Table names begin with the `tablePrefix` of `plugin.json`.
 *
 * @example
 * export const migration: Migration = {
 *   name: '0001-notes',
 *   up: ['CREATE TABLE IF NOT EXISTS hello_note (id {id} NOT NULL PRIMARY KEY, said {text} NOT NULL, said_at {instant} NOT NULL)'],
 *   down: ['DROP TABLE IF EXISTS hello_note'],
 * };
 */
export type { Migration, Step } from './db/migrations.ts';

/**
 * What `setup` is given, and the parts of it.
 *
 * @example const seats = (host: Host) => new Seats({ clock: host.clock });
 * @example
 * const alarm = { title: `${sensor} is down`, description: reading, requesterId: warden.id };
 * const { number } = await host.tickets.create(system, alarm, { once: `outage-${outage.id}` });
 */
export type {
  AuditEntry,
  AuditRecord,
  CommandContext,
  CommandDefinition,
  Delivery,
  GrantDraft,
  Host,
  HostAudit,
  HostLimits,
  HostMail,
  HostMemberships,
  HostNotices,
  HostOutbound,
  HostSessions,
  HostTickets,
  HostPasskeys,
  HostProviders,
  HostUsers,
  JobRun,
  Limit,
  Notice,
  NoticeKind,
  MailDraft,
  MailProgress,
  NewIdentity,
  NewPasskey,
  NewTicketDraft,
  PersonFacts,
  Plugin,
  PluginSetup,
  PreparedUser,
  Repeatable,
  SiteFacts,
  CoreSlots,
  SlotModel,
  TicketFile,
  TicketFiles,
  TicketOpening,
  TicketSummary,
  TicketWords,
  UserDraft,
} from './plugin-host/host.ts';

/**
 * Tokens for hooks of one's own, or of another plugin's: the same name is the same hook.
 *
 * @example
 * const mayJoin = defineVeto<{ email: string }>({
 *   name: 'registration-key.may-redeem', summary: 'Somebody is about to join.', since: '0.1.0', failure: 'closed', budgetMs: 50,
 * });
 * host.veto(mayJoin, ({ email }) => (email.endsWith('@example.org') ? { code: 'hello.no-examples', field: 'email' } : null));
 */
export { defineContribution, defineEvent, defineFilter, defineVeto } from './hooks/tokens.ts';
export type {
  Contributed,
  ContributionListener,
  ContributionToken,
  EventToken,
  FailureMode,
  FilterListener,
  FilterToken,
  HookFacts,
  HookToken,
  Order,
  Refusal,
  VetoListener,
  VetoToken,
} from './hooks/tokens.ts';

/**
 * What one plugin does for others, by name and version. Methods answer promises. Both sides define the token; neither imports the other.
 *
 * @example
 * export const hours = defineService<{ isOpen(at: number): Promise<boolean> }>('calendar/hours@1');
 * host.provide(hours, { isOpen: async (at) => rules.isOpenAt(at) });
 * if (await host.use(hours).isOpen(host.clock.now())) await ring();
 */
export { defineService } from './plugin-host/offered-services.ts';
export type { ServiceToken } from './plugin-host/offered-services.ts';

/**
 * A page or an API call, as data: who may, what comes in, what goes out.
 *
 * @example
 * route({
 *   method: 'post', path: '/p/hello/:noteId', access: { right: 'hello.write' },
 *   params: z.object({ noteId: z.string() }), body: z.object({ said: z.string().min(1) }),
 *   handler: async ({ actor, params, body }) => { await notes.say(actor, params.noteId, body.said); return redirect('/p/hello'); },
 * });
 */
export { countryOf } from './http/country-of.ts';
export { route } from './http/route.ts';
export type { Access, ApiFacts, Incoming, Method, Route, SessionInfo, UploadedFile } from './http/route.ts';

/**
 * What a handler answers.
 *
 * @example view('hello/list', { notes })
 * @example redirect('/p/hello', { flash: { kind: 'success', code: 'hello:said' } })
 * @example json({ items }, { status: 201 })
 */
export { empty, file, json, redirect, text, view } from './http/reply.ts';
export type { CookieChange, Flash, Reply } from './http/reply.ts';

/**
 * For what is dangerous: null when the person has lately said their password, else the way to the page that asks for it.
 *
 * @example
 * const asked = askAgain(incoming, { now: host.clock.now(), next: '/p/hello' });
 * if (asked) return asked;
 */
export { askAgain } from './http/recent-login.ts';

/**
 * Refusals by kind; the code is an i18n key `errors.<code>` of the plugin's namespace.
 *
 * @example throw new ConflictError('hello.already-said', { params: { name } });
 */
export {
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidInputError,
  KnownError,
  NotFoundError,
  TooManyError,
  UnauthenticatedError,
  UnavailableError,
  VetoError,
} from './shared/errors.ts';
export type { ErrorKind, FieldProblem } from './shared/errors.ts';

/** zod, the very copy that core parses with. @example z.object({ email: z.email() }) */
export { z } from 'zod';

/**
 * Declares a table once; `column` has the codecs.
 *
 * @example
 * const notes = defineTable('hello_note', { id: column.text, said: column.text, saidAt: column.instant });
 * const rows = await host.db.knex(notes.name); rows.map(notes.decode);
 */
export { defineTable } from './db/table.ts';
export type { Codec, Table } from './db/table.ts';
/**
 * Past the query builder, for what hundreds ask for in the same minute: written out once, and prepared once.
 *
 * @example
 * await insertRows(tx, notes.name, [notes.encode(note)]);
 * const row = await findRow(host.db, notes.name, notes.columns, { id });
 */
export { findRow, insertRows } from './db/statements.ts';
import {
  bytes,
  flag,
  instant,
  json as jsonColumn,
  nullable,
  oneOf,
  text as textColumn,
  whole,
} from './db/table.ts';

/** @example defineTable('hello_note', { state: column.oneOf('said', 'unsaid'), readAt: column.nullable(column.instant) }) */
export const column = {
  text: textColumn,
  whole,
  instant,
  flag,
  bytes,
  json: jsonColumn,
  oneOf,
  nullable,
} as const;

/** What runs statements: `Queryable` reads, a `Tx` also writes. @example const find = (db: Queryable, id: string) => db.knex('hello_note').where({ id }); */
export type { Queryable, Tx } from './db/database.ts';

/**
 * What hundreds ask for in the same moment, looked up once. What this process writes counts at once, what others write after 50 ms.
 *
 * @example
 * const notes = new InView<Note | null>(host);
 * const note = await notes.find(id, () => findNote(host.db, id));
 */
export { InView } from './db/in-view.ts';

/** A new ULID. @example const note = { id: newId(), said }; */
export { isId, newId } from './shared/ids.ts';

/** Who does it. @example if (!actor.can('hello.write', entityId)) throw new ForbiddenError('hello.not-yours'); */
export type { Actor } from './shared/actor.ts';
/** The house itself, for jobs; and a visitor. @example await host.audit.record(tx, system, entry); */
export { guest, system } from './shared/actor.ts';
export type { Clock } from './shared/clock.ts';

/** Lists by page. @example list(db, { page: 1, perPage: 25 }) */
export { COUNT_LIMIT, offsetOf } from './shared/page.ts';
/** @example readPage(db, db.knex(notes.name).where({ author_id: id }), { table: notes, order: [{ column: 'id', order: 'desc' }] }, page) */
export { countUpTo, readPage } from './db/pages.ts';
export type { Page, PageRequest } from './shared/page.ts';

/**
 * Secrets that people carry: prefix, 26 random symbols, 6 check symbols.
 *
 * @example
 * const key = mintToken('lkinv_');
 * const checked = checkToken(typed, 'lkinv_');
 * if (!checked.ok) throw new InvalidInputError('invitation.malformed', { params: { group: checked.suspect?.group ?? 0 } });
 */
export {
  check as checkToken,
  group as groupToken,
  mask as maskToken,
  normalise as normaliseToken,
  redact as redactTokens,
} from './crypto/tokens.ts';
export { mint as mintToken } from './crypto/mint.ts';
/** The same check as a script for the browser. @example text(tokensForBrowser(), 'text/javascript; charset=utf-8') */
export { tokensForBrowser } from './crypto/browser-tokens.ts';
export type { Suspect, TokenCheck, TokenPrefix, TokenProblem } from './crypto/tokens.ts';
/** SHA-256 of a text, and comparisons that take the same time whatever they find. @example digestOf(redeemId) */
export { digestOf, sameBytes, sameText } from './crypto/digest.ts';
/** Keyed digests and sealed copies, see `host.keys`. @example host.keys.macs('invite|1', checked.normal) */
export type { KeyRing, Mac, Sealed } from './crypto/key-ring.ts';

/**
 * What core asks and tells about accounts.
 *
 * @example host.veto(userMayCreate, ({ emailNorm }) => (emailNorm.endsWith('@spam.example') ? { code: 'hello.no-spam', field: 'email' } : null));
 * @example host.on(userCreated, ({ user }, delivery) => delivery.once((tx) => greet(tx, user)));
 * @example host.on(userForgotten, ({ emailNorm }, delivery) => delivery.once((tx) => forget(tx, emailNorm)));
 * @example await host.transaction((tx) => host.users.setAttributes(tx, actor, userId, { phone: '+33 1 23 45 67 89' }));
 */
export {
  accessTokenCreated,
  accessTokenDraft,
  accessTokenMayCreate,
  accessTokenRevoked,
  apiMayCall,
  entityCreated,
  entityMayRemove,
  entityMoved,
  entityRemoved,
  entityRenamed,
  grantGiven,
  grantWithdrawn,
  groupCreated,
  groupMayRemove,
  groupMemberAdded,
  groupMemberRemoved,
  groupRemoved,
  groupRenamed,
  identityLinked,
  identityUnlinked,
  passwordChanged,
  passwordReset,
  profileChanged,
  profileCreated,
  profileRemoved,
  secondFactorOff,
  secondFactorOn,
  sessionLife,
  signInFailed,
  signInMayBegin,
  signInMayComplete,
  userAnonymised,
  userAttributesSet,
  userChange,
  userChanged,
  userCreated,
  userDisabled,
  userDraft,
  userEnabled,
  userForgotten,
  userMayAnonymise,
  userMayCreate,
  userMayDisable,
  userSignedIn,
  userSignedOut,
} from './identity/index.ts';

/**
 * Another system that tells who somebody is. A plugin brings providers; core keeps sessions, second factors, links between identities
 * and accounts, the audit log, and what is closed to whom. Gone with the plugin.
 *
 * `start` answers where to send the browser and what has to be known when it is back (a nonce, a verifier); that travels sealed in
 * a cookie of this one trip. `finish` gets the address the browser came back to and answers who it is: verified, or not at all. What
 * it throws as `KnownError` is shown to the person; anything else is blamed on the plugin. Core has compared `state` before.
 *
 * @example
 * host.contribute(authProviders, () => [
 *   {
 *     id: 'badge', title: 'Staff badge', icon: 'id-badge', trustedDomains: [], isTwoFactor: false,
 *     start: ({ redirectUri, state }) => Promise.resolve({ url: badgeAddress(redirectUri, state), memory: '' }),
 *     finish: async ({ url }) => {
 *       const { number, name } = await badgeBehind(url);
 *       return { issuer: 'https://badges.example', subject: number, email: null, emailVerified: false, name };
 *     },
 *   },
 * ]);
 */
export { authProviders } from './identity/index.ts';
export type { AuthProvider, ProviderClaims, ProviderReturn, ProviderStart } from './identity/index.ts';

/**
 * What core asks and tells about tickets.
 *
 * @example host.filter(ticketDraft, (draft) => ({ ...draft, title: draft.title.trim() }));
 * @example host.on(ticketSolved, async ({ ticket }) => { await askHowItWas(ticket.id); });
 */
export {
  attachmentAdded,
  attachmentDraft,
  attachmentMayKeep,
  attachmentMayOpen,
  attachmentStores,
  categoryCreated,
  categoryUpdated,
  dashboardCards,
  dashboardFigures,
  followUpAdded,
  followUpDraft,
  followUpMayAdd,
  solutionDraft,
  solutionMayPropose,
  ticketAssigned,
  ticketChange,
  ticketClosed,
  ticketCreated,
  ticketDraft,
  ticketExport,
  ticketListed,
  ticketMayAssign,
  ticketMayClose,
  ticketMayCreate,
  ticketMayReopen,
  ticketMaySolve,
  ticketMayUpdate,
  ticketNotices,
  ticketReopened,
  ticketSearch,
  ticketSearchFields,
  ticketSolved,
  ticketTimeline,
  ticketUpdated,
  timelineShown,
} from './tickets/index.ts';
export type {
  AttachmentStorage,
  DashboardCard,
  SearchField,
  TicketDraft,
  TicketFacts,
  TicketNews,
  TimelineNote,
} from './tickets/index.ts';

/**
 * What core asks and tells about the house itself: pages, menus, mail, jobs, settings, the audit log.
 *
 * @example host.filter(menuVisible, (menu) => ({ ...menu, main: menu.main.filter(({ id }) => id !== 'dashboard') }));
 * @example host.contribute(doctorChecks, async () => ({ name: 'licence', level: 'ok', message: '' }));
 */
export { apiDocument } from './api/api-hooks.ts';
export { auditRecorded, type AuditNews } from './audit/index.ts';
export { doctorChecks, type CheckResult } from './cli/doctor-hooks.ts';

/**
 * Where a plugin keeps what it seals, so that `latchkey secret doctor` tries it too.
 *
 * @example
 * host.contribute(sealedColumns, () => [
 *   { table: 'hello_note', id: 'id', keys: host.keys, boxOf: boxIn('note'), contextOf: ({ id }) => `note|${String(id)}` },
 * ]);
 */
export { sealedColumns } from './cli/doctor-hooks.ts';
export { boxIn, type SealedColumns } from './crypto/sealed-columns.ts';
export { jobFailed, jobFinished, jobMayRun } from './jobs/index.ts';
export { mailGivenUp, mailHandedOver, mailMayLeave, mailOutgoing } from './mail/index.ts';
export { notificationSent } from './notifications/index.ts';
export {
  pluginDisabled,
  pluginEnabled,
  pluginPurged,
  pluginStaged,
  pluginUninstalled,
  pluginVersionUsed,
} from './plugin-host/plugin-hooks.ts';
export { settingChanged, settingMayChange } from './settings/index.ts';
export { menuVisible, pageBrand, pageModel } from './views/index.ts';
export type { Brand } from './views/index.ts';

/**
 * Gives a plugin its part in the story of `latchkey seed demo`.
 *
 * @example
 * host.filter(demoSeeding, (scenes, { until }) => [
 *   ...scenes,
 *   { at: until - 86_400_000, play: ({ administrator }) => notes.say(administrator, 'Written yesterday') },
 * ]);
 */
export { demoSeeding } from './plugin-host/demo-seeding.ts';
export type { DemoNewcomer, DemoPeriod, DemoScene, DemoScenery } from './plugin-host/demo-seeding.ts';

/**
 * What a package of `latchkey plugin pack` says of itself, read without running a line of it and refused as an installation would.
 *
 * @example const { manifest, sha256, readme } = await readPackage(await upload.read());
 */
export { readPackage } from './plugin-host/read-package.ts';

/**
 * The same of all plugins in the folders of a folder, before they are packed.
 *
 * @example for (const { manifest, words, folder } of await readPluginsIn(join(import.meta.dirname, '../goods'))) offer(folder);
 */
export { readPluginsIn } from './plugin-host/read-package.ts';

/**
 * Packs the folder of a plugin, as `latchkey plugin pack` does: the same files make the same bytes.
 *
 * @example const { id, version, bytes } = await packPlugin(join(import.meta.dirname, '../goods/clock'));
 */
export { packPlugin } from './plugin-host/pack-plugin.ts';

/**
 * Signs a package with the private key of its publisher, as `latchkey plugin sign` does: the text that goes beside it.
 *
 * @example const { text } = await signPackage(packed, privateKey);
 */
export { signPackage } from './network/index.ts';
export type { PackageFacts, PluginDescription } from './plugin-host/read-package.ts';

/**
 * Whether a version is in a range, and which of two is newer, as the host judges them.
 *
 * @example const newest = releases.toSorted((one, other) => compareVersions(other.version, one.version))[0];
 */
export { compareVersions, isInRange } from './plugin-host/versions.ts';
