import { randomUUID } from 'node:crypto';
import {
  ConflictError,
  InvalidInputError,
  NotFoundError,
  redirect,
  route,
  text,
  tokensForBrowser,
  view,
  z,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { maskAddress, normaliseAddress } from '../keys/address.ts';
import { calendarEntry } from '../keys/calendar.ts';
import type { ConfirmService, Confirmed, LinkState } from './confirm-service.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { Handle, JoinHandles } from './join-handle.ts';
import {
  opensNext,
  presentClosed,
  presentField,
  presentForm,
  problemsOf,
  questionsOf,
  type Arrived,
  type Typed,
} from './join-presenter.ts';
import type { JoinService } from './join-service.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import { findMailing, type Mailing } from '../mailings/mailing-repository.ts';
import type { RequestService } from '../requests/request-service.ts';
import { HOLD_MS } from '../seats/redemption.ts';
import type { JoinForm, Outcome, RedeemService } from './redeem-service.ts';
import { findByUser } from '../seats/redemption-repository.ts';
import { assertNewAccountsAllowed, misfitOf, refusalOf } from '../seats/refusal.ts';
import { KeysInView } from './keys-in-view.ts';
import type { Landing } from '../steps/landing.ts';
import type { StepWalk } from '../steps/step-walk.ts';
import { presentStep } from '../steps/walk-routes.ts';
import { checkAnswersIn, type HumanCheck } from './human-check.ts';
import { JoinPasskeys } from './join-passkeys.ts';
import { giftsOf } from './nothing-new.ts';
import { JoinProviders } from './join-providers.ts';
import { SharedForms } from './shared-forms.ts';
import { seenThrough } from '../copies/copy-repository.ts';
import type { Evidence } from '../guard/evidence.ts';
import type { Funnel } from '../insight/funnel.ts';

interface Deps {
  host: Host;
  door: KeyDoor;
  handles: JoinHandles;
  redeem: RedeemService;
  confirm: ConfirmService;
  join: JoinService;
  funnel: Funnel;
  evidence: Evidence;
  requests: RequestService;
  humans: HumanCheck;
  walk: StepWalk;
  landing: Landing;
}

/** A page's handle, the key behind it, and how it came. */
interface Entrance {
  handle: Handle;
  key: InvitationKey;
  mailing: Mailing | null;
}

const typed = z.string().max(2000);
const handleQuery = z.object({ h: typed.optional() });
const openForm = z.object({ key: typed });
const tokenParams = z.object({ token: z.string().max(200) });
const keyParams = z.object({ key: z.string().max(400) });
const joinBody = z
  .object({
    h: typed,
    redeemId: z.uuid(),
    email: z.string().max(320),
    name: z.string().max(300),
    password: z.string().max(1024).default(''),
    /** `made`: this browser holds one, in a cookie. */
    passkey: z.enum(['made', '']).default(''),
    /** `arrived`: a provider has named this browser, in a cookie. */
    identity: z.enum(['arrived', '']).default(''),
    locale: z.enum(['en', 'fr']).optional(),
    /** Nobody sees it, so nobody fills it in but a machine. */
    website: z.string().optional(),
  })
  .catchall(typed);
const addForm = z.object({ h: typed }).catchall(typed);
const stepForm = z.object({ h: typed, code: typed.optional() });
const walkForm = z.object({ h: typed, step: z.string().max(100), agreed: z.string().optional() });
const askForm = z.object({
  h: typed,
  name: z.string().trim().min(1, 'invitation.say_name').max(120),
  email: z.email('invitation.not_an_address').max(320),
  message: z.string().trim().max(500).default(''),
});
const confirmForm = z.object({ password: z.string().max(1024).default('') });

/** Search engines and caches keep out; the page with the key in its address tells nobody where one came from. */
const closedToOthers = { 'X-Robots-Tag': 'noindex, nofollow', 'Cache-Control': 'no-store' };
const quietAddress = { ...closedToOthers, 'Referrer-Policy': 'no-referrer' };

/** The newcomer's way in. No GET changes anything but a handle. */
export function joinRoutes(deps: Deps): Route[] {
  const { host, door, handles, redeem, confirm, join, requests, humans, funnel, evidence, walk, landing } =
    deps;
  // Three hundred phones that open one key ask for one row.
  const passkeys = new JoinPasskeys(host, handles);
  const providers = new JoinProviders({ host, open: openEntrance });
  const shown = new KeysInView(host);
  const forms = new SharedForms(host);

  const page = (
    template: string,
    model: object,
    extras: {
      status?: number;
      headers?: Record<string, string>;
      fresh?: Readonly<Record<string, string>>;
    } = {},
  ): Reply =>
    view(`${host.plugin.id}/join/${template}`, model, {
      ...extras,
      headers: { ...closedToOthers, ...extras.headers },
    });

  const codePage = (model: object = {}, status = 200): Reply => page('code', model, { status });

  const refusedKey = (error: KnownError, headers: Record<string, string> = {}): Reply =>
    page(
      'code',
      { errors: problemsOf(fieldOf('key', error)) },
      { status: codeStatus(error), headers: { ...headers, ...retryHeader(error) } },
    );

  async function entranceOf({ cookies }: Incoming, name: string | undefined): Promise<Entrance | null> {
    const handle = handles.read(cookies, name);
    const key = handle === null ? null : await shown.find(handle.keyId);
    if (handle === null || key === null || key.generation !== handle.generation) return null;
    const mailing = handle.mailingId === null ? null : await findMailing(host.db, handle.mailingId);
    return { handle, key: await seenThrough(host.db, key, handle.copyId), mailing };
  }

  async function needEntrance(incoming: Incoming, name: string | undefined): Promise<Entrance> {
    const entrance = await entranceOf(incoming, name);
    if (entrance === null) throw new NotFoundError('invitation.handle_gone');
    return entrance;
  }

  async function openEntrance(
    incoming: Incoming,
    name: string,
  ): Promise<{ handle: Handle } | { instead: Reply }> {
    const entrance = await entranceOf(incoming, name);
    if (entrance === null) return { instead: codePage({ lost: true }) };
    const refusal = await obstacle(entrance.key);
    return refusal === null ? entrance : { instead: await closed(entrance, refusal) };
  }

  /** What stands in the way of anybody, whoever it is. */
  async function obstacle(key: InvitationKey): Promise<KnownError | null> {
    const refusal = refusalOf(key, host.clock.now());
    if (refusal !== null) return refusal;
    try {
      await assertNewAccountsAllowed(host);
      return null;
    } catch (error) {
      return error as KnownError;
    }
  }

  async function houseIsFull(): Promise<KnownError | null> {
    return (await host.users.hasRoom()) ? null : new ConflictError('user.no-room');
  }

  /** The next page to walk past before the form; null when there is none left. */
  async function stepInTheWay(
    { locale }: Pick<Incoming, 'locale'>,
    { key, handle }: Entrance,
    error?: KnownError,
  ): Promise<Reply | null> {
    const way = await walk.wayOf(key, 'before', { browser: handle.secret }, locale);
    if (way.open.length === 0) return null;
    const { organisation } = await host.site();
    const place = {
      action: '/join/step/walk',
      handle: handle.name,
      organisation,
      ...(error ? { error } : {}),
    };
    return page('step', presentStep(way, place));
  }

  async function closed(
    entrance: Pick<Entrance, 'handle' | 'key'>,
    error: KnownError,
    extras: { typed?: Typed; whileTyping?: boolean } = {},
  ): Promise<Reply> {
    if (error.code === 'invitation.unknown') return codePage({ errors: problemsOf(error) }, 404);
    const model = await presentClosed(host, { ...entrance, error, ...extras });
    const isFilled = extras.whileTyping === true && error.code === 'invitation.used_up';
    return page('closed', model, {
      status: isFilled ? 409 : closedStatus(error),
      headers: retryHeader(error),
    });
  }

  /**
   * Whoever opens their own invitation again wants to sign in, not to be told that it is full. A link that was mailed proves whose it is;
   * one that is for a single address tells whoever holds it that it was used, and not by whom.
   */
  async function usedBefore({ key, mailing }: Entrance, refusal: KnownError | null): Promise<Reply | null> {
    const isForOne = key.emailNorm !== null;
    // A link for many that was mailed and passed on lets others in as long as there are places.
    const mayBeOver =
      mailing === null ? refusal?.code === 'invitation.used_up' : isForOne || refusal !== null;
    const emailNorm = mailing?.emailNorm ?? key.emailNorm;
    if (!mayBeOver || emailNorm === null || !(await join.hasJoined(key, emailNorm))) return null;
    return page('used', { me: mailing?.email ?? '', lead: mailing === null ? 'lead' : 'lead-named' });
  }

  /** Somebody with an account: to their tickets, or one button that adds what the key gives. */
  async function forSignedIn(
    incoming: Incoming,
    entrance: Entrance,
    again: { typed?: Typed; error?: KnownError } = {},
  ): Promise<Reply> {
    const { actor } = incoming;
    const { key, handle } = entrance;
    const person = await host.users.find(actor.userId ?? '');
    const organisation = (await host.site()).organisation;
    if (person === null) throw new NotFoundError('invitation.account_gone');
    const model = { organisation, handle: handle.name, me: person.email, name: person.name };
    if ((await findByUser(host.db, key.id, person.id)) !== null) return page('already', model);
    if (await redeem.addsNothing(key, person)) return page('nothing-new', model);
    const refusal = (await obstacle(key)) ?? misfitOf(key, person.emailNorm);
    if (refusal === null) {
      const step = await stepInTheWay(incoming, entrance);
      if (step !== null) return step;
      const questions = await questionsOf(host, key, incoming.locale);
      return page('add', {
        ...model,
        fields: questions.map((field) => presentField(field, again.typed ?? {})),
        inviter: key.ownerId === null ? '' : key.ownerName,
        errors: problemsOf(again.error),
        ...(await giftsOf(host, key, person.id, organisation)),
      });
    }
    if (refusal.code === 'invitation.wrong_email')
      return page('other-account', { ...model, invited: maskAddress(key.email ?? '') });
    if (refusal.code === 'invitation.wrong_domain')
      return page('other-account', {
        ...model,
        kind: '-domain',
        domains: key.emailDomains.map((rule) => `@${rule}`),
      });
    return closed(entrance, refusal);
  }

  async function formPage(
    incoming: Incoming,
    entrance: Entrance,
    facts: { typed?: Typed; error?: KnownError } = {},
  ): Promise<Reply> {
    const { key, handle, mailing } = entrance;
    const slots = await humans.slotsFor(key, { binding: handle.name, ...facts });
    const arrived = providers.arrived(incoming.cookies, handle);
    const misfit = arrived?.identity.email ? misfitOfTyped(key, arrived.identity.email) : null;
    if (arrived !== null && misfit !== null) return otherIdentity(entrance, arrived, misfit);
    const isEmpty =
      facts.typed === undefined && facts.error === undefined && mailing === null && arrived === null;
    if (isEmpty && Object.keys(slots).length === 0) {
      const fresh = { handle: handle.name, redeemId: randomUUID() };
      return page('form', await forms.of(key, incoming.locale), { fresh });
    }
    const model = {
      ...(await presentForm(host, { ...entrance, locale: incoming.locale, arrived, ...facts })),
      passkeyMade: passkeys.made(incoming.cookies, handle) !== null,
      slots,
    };
    return page('form', model, { headers: facts.error ? retryHeader(facts.error) : {} });
  }

  /** The provider has named somebody whom this invitation is not for. Nothing is lost: another account, or none. */
  async function otherIdentity(
    { key, handle }: Entrance,
    { title, identity }: Arrived,
    misfit: KnownError,
  ): Promise<Reply> {
    const { organisation } = await host.site();
    const isDomain = misfit.code === 'invitation.wrong_domain';
    return page(
      'other-identity',
      {
        organisation,
        handle: handle.name,
        provider: title,
        ref: identity.provider,
        me: identity.email,
        kind: isDomain ? '-domain' : '',
        invited: key.email === null ? '' : maskAddress(key.email),
        domains: key.emailDomains.map((rule) => `@${rule}`),
        isLocalOn: await host.providers.isLocalOn(),
      },
      { status: 403 },
    );
  }

  /** In: a session for this browser, and on to the first request. */
  async function enter(
    { ip, userAgent, locale }: Incoming,
    done: { userId: string | null; landing: string },
    handle: Handle | null,
  ): Promise<Reply> {
    const forget = handle === null ? [] : [handles.forget(handle), passkeys.forget, providers.forget(handle)];
    if (done.userId === null) {
      return redirect('/login', {
        cookies: forget,
        flash: { kind: 'success', code: 'registration-key:flash.sign-in-now' },
      });
    }
    const { cookie } = await host.sessions.start(done.userId, { ip, userAgent });
    return redirect(await landing.of(done.userId, done.landing, locale), {
      cookies: [cookie, ...forget],
      flash: { kind: 'success', code: 'registration-key:flash.welcome' },
    });
  }

  /** With what they want to come in. What a browser says it holds, it must hold. */
  function accessIn(
    { body, cookies }: Incoming<unknown, unknown, z.output<typeof joinBody>>,
    handle: Handle,
  ): Pick<JoinForm, 'password' | 'passkey' | 'identity'> {
    if (body.identity === 'arrived') return { password: '', identity: providers.identity(cookies, handle) };
    const made = body.passkey === 'made' ? passkeys.made(cookies, handle) : null;
    return made === null ? { password: body.password } : { password: '', passkey: made };
  }

  const waitingPath = (handle: Handle): string => `/join/step/waiting?h=${handle.name}`;

  const goOn = (incoming: Incoming, outcome: Outcome | Confirmed, handle: Handle): Promise<Reply> | Reply =>
    outcome.status === 'active'
      ? enter(incoming, outcome, handle)
      : redirect(waitingPath(handle), { cookies: [handles.keepWaiting(handle)] });

  async function waitingPage(
    incoming: Incoming,
    name: string | undefined,
    error?: KnownError,
  ): Promise<Reply> {
    const { handle, key } = await needEntrance(incoming, name);
    const waiting = await confirm.waiting(key.id, handle.secret);
    if (waiting === null) return redirect(`/join?h=${handle.name}`);
    const { organisation, registration } = await host.site();
    const now = host.clock.now();
    const status = waiting.redemption?.status ?? 'pending_email';
    return page('waiting', {
      organisation,
      inviter: key.ownerId === null ? '' : key.ownerName,
      supportLine: registration.contact,
      askedAt: waiting.attempt.at,
      handle: handle.name,
      email: waiting.email,
      state: status,
      reason: waiting.redemption?.decisionNote ?? '',
      mailIsOn: host.mail.isOn,
      wasMailed: waiting.attempt.sentAt !== null,
      mayResend: now >= waiting.resendAt,
      resendAt: waiting.resendAt,
      holdUntil: waiting.redemption?.holdUntil ?? waiting.attempt.at + HOLD_MS,
      holdLeft: Math.max(0, (waiting.redemption?.holdUntil ?? waiting.attempt.at + HOLD_MS) - now),
      errors: problemsOf(error),
    });
  }

  /** The same page again with what went wrong; without its handle, the way back in. */
  async function stillWaiting(incoming: Incoming, error: KnownError): Promise<Reply> {
    const { h } = keptOf(incoming.body);
    return (await entranceOf(incoming, h)) === null
      ? codePage({ lost: true })
      : waitingPage(incoming, h, error);
  }

  async function confirmPage({ params, cookies }: Incoming, error?: KnownError): Promise<Reply> {
    const { token } = tokenParams.parse(params);
    const { email, name, isOwnBrowser } = await lookAt(cookies, token);
    const { organisation } = await host.site();
    return page(
      'confirm',
      { organisation, email, name, isOwnBrowser, token, errors: problemsOf(error) },
      { headers: quietAddress },
    );
  }

  /** The link says nothing about the browser; its handles do. */
  async function lookAt(
    cookies: Incoming['cookies'],
    token: string,
  ): Promise<LinkState & { secret: string | null }> {
    const secrets = [...handles.all(cookies).map(({ secret }) => secret), null];
    for (const secret of secrets) {
      const state = await confirm.look(token, secret);
      if (state.isOwnBrowser || secret === null)
        return { ...state, secret: state.isOwnBrowser ? secret : null };
    }
    throw new NotFoundError('invitation.link_unknown');
  }

  return [
    ...passkeys.routes(),
    ...providers.routes(),
    route({
      method: 'get',
      path: '/join',
      access: 'public',
      rush: true,
      query: handleQuery,
      handler: async (incoming) => {
        const { h } = incoming.query;
        if (h === undefined) return codePage();
        const entrance = await entranceOf(incoming, h);
        if (entrance === null) return codePage({ lost: true });
        if (funnel.seen(entrance.handle, incoming)) evidence.noticeOpened(entrance.key, incoming.network);
        if (incoming.actor.kind === 'user') return forSignedIn(incoming, entrance);
        const refusal = (await obstacle(entrance.key)) ?? (await houseIsFull());
        const used = await usedBefore(entrance, refusal);
        if (used !== null) return used;
        if (refusal !== null) return closed(entrance, refusal);
        return (await stepInTheWay(incoming, entrance)) ?? formPage(incoming, entrance);
      },
    }),
    route({
      method: 'post',
      path: '/join',
      access: 'public',
      body: joinBody,
      onRefused: async (incoming, error) => {
        const kept = keptOf(incoming.body);
        const entrance = await entranceOf(incoming, kept['h']);
        if (entrance === null) return codePage({ lost: true, errors: problemsOf(error) }, 404);
        funnel.failed(entrance.handle, error);
        if (error.code === 'invitation.steps_first') return redirect(`/join?h=${entrance.handle.name}`);
        if (isOver(error)) {
          await join.recordRefusal(entrance.key, error.code, incoming.network);
          return closed(entrance, error, { typed: kept, whileTyping: true });
        }
        if (error.kind === 'veto' || error.code.startsWith('invitation.wrong_')) {
          await join.recordRefusal(entrance.key, error.code, incoming.network);
        }
        return formPage(incoming, entrance, { typed: kept, error });
      },
      handler: async (incoming) => {
        const { h, redeemId, email, name, locale, website } = incoming.body;
        const { handle, key, mailing } = await needEntrance(incoming, h);
        if (website !== undefined && website !== '') throw new ConflictError('invitation.try_again');
        const answers = await join.answersFrom(key, keptOf(incoming.body), incoming.locale);
        const access = accessIn(incoming, handle);
        const form = { redeemId, email, name, ...access, locale: locale ?? incoming.locale, answers };
        funnel.started(handle);
        const { copyId = null } = handle;
        const check = { answers: checkAnswersIn(keptOf(incoming.body)), binding: handle.name };
        const visitor = { browser: handle.secret, mailing, network: incoming.network, copyId, check };
        return goOn(incoming, await redeem.redeem(key, form, visitor), handle);
      },
    }),
    route({
      method: 'post',
      path: '/join/step/open',
      access: 'public',
      body: openForm,
      onRefused: (_incoming, error) => refusedKey(error),
      handler: async ({ body, cookies, network }) => {
        const opened = await door.open(body.key, network);
        const { handle, changes } = handles.take(cookies, opened);
        if (changes.length > 0) funnel.typed(handle);
        return redirect(`/join?h=${handle.name}`, { cookies: changes, headers: closedToOthers });
      },
    }),
    route({
      method: 'get',
      path: '/join/step/waiting',
      access: 'public',
      query: handleQuery,
      onRefused: () => codePage({ lost: true }),
      handler: (incoming) => waitingPage(incoming, incoming.query.h),
    }),
    route({
      method: 'post',
      path: '/join/step/confirm',
      access: 'public',
      body: stepForm,
      onRefused: stillWaiting,
      handler: async (incoming) => {
        const { handle, key } = await needEntrance(incoming, incoming.body.h);
        const done = await confirm.byCode(key.id, handle.secret, incoming.body.code ?? '', incoming.network);
        return goOn(incoming, done, handle);
      },
    }),
    route({
      method: 'post',
      path: '/join/step/resend',
      access: 'public',
      body: stepForm,
      onRefused: stillWaiting,
      handler: async (incoming) => {
        const { handle, key } = await needEntrance(incoming, incoming.body.h);
        await confirm.resend(key.id, handle.secret);
        return redirect(waitingPath(handle), {
          flash: { kind: 'success', code: 'registration-key:flash.sent-again' },
        });
      },
    }),
    route({
      method: 'post',
      path: '/join/step/add',
      access: 'signed-in',
      body: addForm,
      onRefused: async (incoming, error) => {
        const kept = keptOf(incoming.body);
        const entrance = await entranceOf(incoming, kept['h']);
        if (entrance === null) return codePage({ lost: true });
        if (error.code === 'input.invalid') return forSignedIn(incoming, entrance, { typed: kept, error });
        await join.recordRefusal(entrance.key, error.code, incoming.network);
        return closed(entrance, error, { whileTyping: true });
      },
      handler: async (incoming) => {
        const { handle, key } = await needEntrance(incoming, incoming.body.h);
        const { actor } = incoming;
        if (actor.userId === null) throw new NotFoundError('invitation.account_gone');
        await walk.assertWalked(key, { browser: handle.secret, accepted: [] }, incoming.locale);
        const answers = await join.answersFrom(key, keptOf(incoming.body), incoming.locale, {
          hasAccount: true,
        });
        const joined = await redeem.addToAccount(
          key,
          { userId: actor.userId },
          { network: incoming.network, copyId: handle.copyId ?? null, answers },
        );
        const isNew = joined === 'joined' || joined === 'waiting';
        if (isNew) await walk.givenTo(key.id, handle.secret, actor.userId);
        const wanted =
          joined === 'joined' ? await landing.ofMember(actor.userId, key.landing, incoming.locale) : '/';
        return redirect(wanted, {
          cookies: [handles.forget(handle)],
          flash: {
            kind: isNew ? 'success' : 'info',
            code: `registration-key:flash.${joined}`,
          },
        });
      },
    }),
    route({
      method: 'post',
      path: '/join/step/walk',
      access: 'public',
      body: walkForm,
      onRefused: async (incoming, error) => {
        const entrance = await entranceOf(incoming, keptOf(incoming.body)['h']);
        if (entrance === null) return codePage({ lost: true });
        const again = error.fields.length > 0 ? await stepInTheWay(incoming, entrance, error) : null;
        return again ?? redirect(`/join?h=${entrance.handle.name}`);
      },
      handler: async (incoming) => {
        const { h, step, agreed } = incoming.body;
        const { handle, key } = await needEntrance(incoming, h);
        const refusal = await obstacle(key);
        const said = { step, agreed: agreed !== undefined, locale: incoming.locale };
        if (refusal === null) await walk.take(key, 'before', { browser: handle.secret }, said);
        return redirect(`/join?h=${handle.name}`, { headers: closedToOthers });
      },
    }),
    route({
      method: 'post',
      path: '/join/step/ask',
      access: 'public',
      body: askForm,
      onRefused: async (incoming, error) => {
        const kept = keptOf(incoming.body);
        const entrance = await entranceOf(incoming, kept['h']);
        if (entrance === null) return codePage({ lost: true });
        const refusal = (await obstacle(entrance.key)) ?? error;
        const model = await presentClosed(host, { ...entrance, error: refusal, typed: kept });
        return page('closed', { ...model, errors: problemsOf(error) }, { headers: retryHeader(error) });
      },
      handler: async (incoming) => {
        const { h, ...form } = incoming.body;
        const { key } = await needEntrance(incoming, h);
        await requests.ask(key, { ...form, locale: incoming.locale }, incoming.network);
        return redirect(`/join/step/asked?h=${h}`);
      },
    }),
    route({
      method: 'get',
      path: '/join/step/asked',
      access: 'public',
      handler: async () => page('asked', { organisation: (await host.site()).organisation }),
    }),
    route({
      method: 'get',
      path: '/join/step/opens.ics',
      access: 'public',
      query: handleQuery,
      handler: async (incoming) => {
        const { key } = await needEntrance(incoming, incoming.query.h);
        const now = host.clock.now();
        const opens = opensNext(key, now);
        if (opens === null || key.weak) throw new NotFoundError('invitation.nothing_waits');
        const { organisation, origin } = await host.site();
        const title = host.t('join.calendar', { organisation }, incoming.locale);
        const entry = calendarEntry({
          uid: `${key.id}@${new URL(origin).host}`,
          at: opens,
          now,
          title,
          url: origin,
        });
        return text(entry, 'text/calendar; charset=utf-8', {
          headers: { ...closedToOthers, 'Content-Disposition': 'attachment; filename="invitation.ics"' },
        });
      },
    }),
    route({
      method: 'get',
      path: '/join/step/tokens.js',
      access: 'public',
      handler: () =>
        text(tokensForBrowser(), 'text/javascript; charset=utf-8', {
          headers: { 'Cache-Control': 'public, max-age=3600' },
        }),
    }),
    route({
      method: 'get',
      path: '/join/confirm/:token',
      access: 'public',
      params: tokenParams,
      onRefused: async () =>
        page(
          'confirm-unknown',
          { organisation: (await host.site()).organisation },
          { headers: quietAddress },
        ),
      handler: (incoming) => confirmPage(incoming),
    }),
    route({
      method: 'post',
      path: '/join/confirm/:token',
      access: 'public',
      params: tokenParams,
      body: confirmForm,
      onRefused: async (incoming, error) => {
        const over =
          ['gone', 'not-found', 'unavailable'].includes(error.kind) ||
          error.code === 'invitation.account_exists';
        if (!over) return confirmPage(incoming, error);
        const { organisation } = await host.site();
        return page('confirm-unknown', { organisation, code: error.code }, { headers: quietAddress });
      },
      handler: async (incoming) => {
        const { token } = incoming.params;
        const { secret, attempt } = await lookAt(incoming.cookies, token);
        const done = await confirm.byLink(token, {
          browser: secret,
          password: incoming.body.password,
          network: incoming.network,
        });
        const handle = handles.all(incoming.cookies).find((one) => one.keyId === attempt.keyId) ?? null;
        if (done.status === 'active') return enter(incoming, done, handle);
        return handle && secret !== null
          ? redirect(waitingPath(handle))
          : page('waiting', { organisation: (await host.site()).organisation, state: 'pending_approval' });
      },
    }),
    route({
      method: 'get',
      path: '/join/:key',
      access: 'public',
      params: keyParams,
      onRefused: (_incoming, error) => refusedKey(error, quietAddress),
      handler: async (incoming) => {
        const { params, cookies, network } = incoming;
        const opened = await door.open(params.key, network);
        const { handle, changes } = handles.take(cookies, opened);
        if (changes.length > 0) funnel.followed(handle, incoming, opened.mailing);
        return redirect(`/join?h=${handle.name}`, { cookies: changes, headers: quietAddress });
      },
    }),
  ];
}

/** The key itself is over, whatever was typed. */
const isOver = ({ code }: KnownError): boolean =>
  [
    'invitation.revoked',
    'invitation.used_up',
    'invitation.expired',
    'invitation.paused',
    'invitation.not_yet',
    'invitation.outside_hours',
    'invitation.unknown',
    'invitation.replaced',
    'user.no-room',
  ].includes(code);

/** Whether an address as people write it is one that this key is for. */
function misfitOfTyped(key: InvitationKey, email: string): KnownError | null {
  const emailNorm = normaliseAddress(email);
  return emailNorm === null ? null : misfitOf(key, emailNorm);
}

const closedStatus = ({ kind }: KnownError): number =>
  (
    ({
      gone: 410,
      forbidden: 403,
      unavailable: 503,
      'not-found': 404,
      conflict: 409,
      'too-many': 429,
    }) as Record<string, number>
  )[kind] ?? 409;

/** Unknown and mistyped look the same to a visitor; only too many tries are another matter. */
const codeStatus = ({ kind }: KnownError): number =>
  kind === 'too-many' ? 429 : kind === 'unavailable' ? 503 : 404;

const retryHeader = ({ retryAfter }: KnownError): Record<string, string> =>
  retryAfter === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfter)) };

const fieldOf = (field: string, error: KnownError): KnownError =>
  new InvalidInputError(error.code, {
    params: { ...error.params, seconds: error.retryAfter ?? 0 },
    fields:
      error.fields.length > 0
        ? [...error.fields]
        : [{ field, code: error.code, params: { ...error.params, seconds: error.retryAfter ?? 0 } }],
  });

/** What may be shown again. */
function keptOf(body: unknown): Typed {
  const sent = z.record(z.string(), z.unknown()).safeParse(body).data ?? {};
  return Object.fromEntries(
    Object.entries(sent).flatMap(([name, value]) =>
      typeof value === 'string' && name !== 'password' && name !== 'code'
        ? [[name, value.slice(0, 2000)]]
        : [],
    ),
  );
}
