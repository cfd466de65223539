import { z } from 'zod';
import { asTheAuthorKnows, wordsOfFault } from './author-log.ts';
import type { Latchkey } from './compose.ts';
import type { DevClock } from './dev-clock.ts';
import type { Faults } from './dev-faults.ts';
import type { DevMailbox } from './dev-mailbox.ts';
import { Trace } from './hooks/index.ts';
import type { CostLine, EventToken, HookToken } from './hooks/index.ts';
import { redirect, text, view, type Reply } from './http/reply.ts';
import { route, type Route } from './http/route.ts';
import type { OutboundAnswer } from './outbound/outbound.ts';
import type { Actor } from './shared/actor.ts';
import { KnownError, NotFoundError } from './shared/errors.ts';

const PATH = '/dev/playground';
const access = 'signed-in';
/** A mail brings its styles along; it may load pictures of ours and nothing else. */
const mailPolicy = {
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:",
};

const json = z.string().max(50_000).default('{}');
const hookForm = z.object({ hook: z.string().max(120), value: json, context: json });
const jobForm = z.object({ job: z.string().max(120) });
const clockForm = z.object({ by: z.enum(['hour', 'day', 'week', 'right']) });
const question = z.object({
  hook: z.string().catch(''),
  slot: z.string().catch(''),
  context: z.string().catch('{}'),
  mail: z.string().catch(''),
  model: z.string().catch('{}'),
  locale: z.enum(['en', 'fr']).catch('en'),
});
type Question = z.output<typeof question>;

/** Ways in which a hub does not answer, as a helpdesk meets them. */
const hubFaults = {
  none: null,
  refused: failing('ECONNREFUSED'),
  unknown: failing('ENOTFOUND'),
  silent: failing('UND_ERR_HEADERS_TIMEOUT'),
  certificate: failing('CERT_HAS_EXPIRED'),
  html: answering(200, '<html>Please sign in to the hotel network</html>', 'text/html'),
  broken: answering(503, 'Service Unavailable', 'text/plain'),
} as const;
type HubFault = keyof typeof hubFaults;
const faultNames = Object.keys(hubFaults) as HubFault[];

interface Subject {
  plugin: string;
  faults: Faults;
  mailbox: DevMailbox;
  clock: DevClock;
}

/** For whoever writes a plugin, on their own machine: fire a hook, run a job, move the clock, look at a slot or a mail, have the hub fail. */
export function playgroundRoutes(house: Latchkey, { plugin, faults, mailbox, clock }: Subject): Route[] {
  const passed = rememberWhatPasses(house);
  const hub = pretend(house);

  const page = (asked: Question, done: { fired?: object; ran?: object } = {}): Reply => {
    const tokens = house.ground.hooks.catalogue().filter(({ kind }) => kind !== null);
    const manifest = house.plugins.manifestOf(plugin);
    const last = passed.get(asked.hook);
    const kind = tokens.find(({ name }) => name === asked.hook)?.kind;
    const slotContext = isNothing(asked.context) ? passed.get(`slot:${asked.slot}`)?.context : undefined;
    const about = slotContext ?? parsed(asked.context);
    const told = new Set(faults.all);
    return view('plugins/playground', {
      plugin,
      hooks: tokens.map(({ name, kind: is, listeners }) => ({
        value: name,
        label: `${name} (${String(is)}${listeners.some(({ owner }) => owner === plugin) ? `, ${plugin}` : ''})`,
      })),
      hook: asked.hook,
      hasValue: kind === 'filter' || kind === 'event',
      hasContext: kind !== 'event',
      value: pretty(last?.value ?? {}),
      context: pretty(last?.context ?? {}),
      ...done,
      slotNames: (manifest?.slots ?? []).map((name) => ({ value: name, label: name })),
      slot: asked.slot,
      slotContext: pretty(about),
      // Asked for as the page is drawn: by then the place has been filled, or has failed.
      slotFaults: () => faults.all.filter((fault) => !told.has(fault)).map(wordsOfFault),
      frames: asked.slot === '' ? [] : ['light', 'dark', 'phone'],
      jobs: (manifest?.jobs ?? []).map(({ id }) => ({ value: id, label: id })),
      clock: { now: clock.now(), isAhead: clock.isAhead },
      letters: mailbox.letters,
      mails: mailsOf(house, plugin).map((name) => ({ value: name, label: name })),
      mail: asked.mail,
      model: asked.model,
      locale: asked.locale,
      locales: [
        { value: 'en', label: 'English' },
        { value: 'fr', label: 'Français' },
      ],
      letter: asked.mail === '' ? null : letterOf(house, asked),
      hubFaults: faultNames.map((name) => ({
        name,
        key: `plugins:dev.hub.${name}`,
        isOn: hub.fault === name,
      })),
      slots: asked.slot === '' ? {} : { [asked.slot]: about },
    });
  };

  /** What was said of the plugin while `work` ran, besides what it answers. */
  const withFaults = async (work: () => Promise<object>): Promise<object> => {
    const told = new Set(faults.all);
    const done = await work();
    return { ...done, faults: faults.all.filter((fault) => !told.has(fault)).map(wordsOfFault) };
  };

  return [
    route({ method: 'get', path: PATH, access, query: question, handler: ({ query }) => page(query) }),
    route({
      method: 'post',
      path: `${PATH}/hook`,
      access,
      body: hookForm,
      handler: async ({ body, actor }) => {
        passed.set(body.hook, { value: parsed(body.value), context: parsed(body.context) });
        const fired = await withFaults(() => fire(house, body.hook, passed.get(body.hook), actor));
        return page(question.parse({ hook: body.hook }), { fired });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/job`,
      access,
      body: jobForm,
      handler: async ({ body: { job } }) =>
        page(question.parse({}), { ran: await withFaults(() => run(house, plugin, job)) }),
    }),
    route({
      method: 'post',
      path: `${PATH}/clock`,
      access,
      body: clockForm,
      handler: async ({ body: { by }, actor, ip, userAgent }) => {
        if (by === 'right') clock.setRight();
        else clock.move(by);
        // Nobody is away for an hour: whoever moves it stays signed in.
        const { cookie } = await house.domains.sessions.start(actor.userId ?? '', { ip, userAgent });
        return redirect(`${PATH}#clock`, { cookies: [cookie] });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/hub`,
      access,
      body: z.object({ fault: z.enum(['none', ...faultNames]) }),
      handler: ({ body }) => {
        hub.fault = body.fault;
        return redirect(`${PATH}#hub`);
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/mail`,
      access,
      query: question,
      handler: ({ query }) => asLetter(letterOf(house, query).html),
    }),
    route({
      method: 'get',
      path: `${PATH}/letters/:number`,
      access,
      params: z.object({ number: z.coerce.number() }),
      handler: ({ params: { number } }) => {
        const letter = mailbox.find(number);
        if (!letter) throw new NotFoundError('page.not-found');
        return asLetter(letter.html);
      },
    }),
  ];
}

const asLetter = (html: string): Reply => text(html, 'text/html; charset=utf-8', { headers: mailPolicy });

/** Now, and then all that it has told and written is delivered. */
async function run(house: Latchkey, plugin: string, job: string): Promise<object> {
  const { domains } = house;
  const startedAt = performance.now();
  const problem = await domains.jobs.runNow(`${plugin}.${job}`).then(
    () => null,
    (error: unknown) => sentenceOf(house, error),
  );
  const tookMs = Math.round(performance.now() - startedAt);
  await domains.dispatcher.drain();
  await domains.courier?.drain();
  return { job, tookMs, problem };
}

interface Passed {
  value: unknown;
  context: object;
}

/** The last that went through each hook and slot: so that nobody has to make up what a ticket looks like. */
function rememberWhatPasses({ ground: { hooks, slots } }: Latchkey): Map<string, Passed> {
  const passed = new Map<string, Passed>();
  type Call = (token: HookToken, ...rest: unknown[]) => unknown;
  const listenIn = (name: 'filter' | 'veto' | 'gather', of: (rest: unknown[]) => Passed): void => {
    const original = hooks[name].bind(hooks) as unknown as Call;
    const call: Call = (token, ...rest) => {
      passed.set(token.name, of(rest));
      return original(token, ...rest);
    };
    Object.defineProperty(hooks, name, { value: call });
  };
  listenIn('filter', ([value, context]) => ({ value, context: asObject(context) }));
  listenIn('veto', ([context]) => ({ value: {}, context: asObject(context) }));
  listenIn('gather', ([context]) => ({ value: {}, context: asObject(context) }));
  const emit = hooks.emit.bind(hooks);
  const emitting: typeof emit = (tx, token, payload, about) => {
    passed.set(token.name, { value: payload, context: {} });
    return emit(tx, token, payload, about);
  };
  Object.defineProperty(hooks, 'emit', { value: emitting });
  const resolve = slots.resolve.bind(slots);
  const resolving: typeof resolve = (wanted, actor, facts) => {
    for (const [name, context] of Object.entries(wanted))
      passed.set(`slot:${name.split('#', 1)[0] ?? name}`, { value: {}, context: asObject(context) });
    return resolve(wanted, actor, facts);
  };
  Object.defineProperty(slots, 'resolve', { value: resolving });
  return passed;
}

function sentenceOf({ ground: { i18n } }: Latchkey, error: unknown): string {
  if (error instanceof KnownError) return i18n.translate('en', `errors.${error.code}`, error.params);
  return asTheAuthorKnows(error instanceof Error ? error.message : String(error));
}

/** Asks or tells everybody who listens, and says what each made of it. */
async function fire(
  house: Latchkey,
  name: string,
  passed: Passed | undefined,
  actor: Actor,
): Promise<object> {
  const { hooks } = house.ground;
  const entry = hooks.catalogue().find((one) => one.name === name);
  const trace = new Trace();
  const startedAt = performance.now();
  const facts = {
    name,
    summary: '',
    since: '',
    failure: entry?.failure ?? 'open',
    budgetMs: entry?.budgetMs ?? 0,
  };
  const { value = {} } = passed ?? {};
  // A person cannot be typed in: where a hook is told who it is, it is whoever fires it.
  const context = { ...(passed?.context ?? {}), actor };
  const outcome = await hooks
    .observe(trace, async () => {
      switch (entry?.kind) {
        case 'filter':
          return hooks.filter({ ...facts, kind: 'filter' }, value, context);
        case 'veto':
          return hooks.veto({ ...facts, kind: 'veto' }, context);
        case 'contribution':
          return hooks.gather({ ...facts, kind: 'contribution', failure: 'open' }, context);
        case 'event':
          return tell(house, { ...facts, kind: 'event', failure: 'open' }, value, trace);
        default:
          throw new Error(`There is no hook ${name}`);
      }
    })
    .then(
      (answer) => ({ answer: pretty(answer ?? null) }),
      (error: unknown) => ({ refused: sentenceOf(house, error) }),
    );
  return {
    name,
    tookMs: Math.round((performance.now() - startedAt) * 10) / 10,
    steps: trace.steps,
    ...outcome,
  };
}

/** The dispatcher tells them in its own time; what it put on their account says how that went. */
async function tell(
  { ground: { db, hooks }, domains }: Latchkey,
  token: EventToken<unknown>,
  payload: unknown,
  trace: Trace,
): Promise<void> {
  const lines = (): CostLine[] =>
    hooks.costs().filter(({ kind, name }) => kind === 'event' && name === token.name);
  const before = new Map(lines().map((line) => [line.owner, line]));
  await db.transaction((tx) => hooks.emit(tx, token, payload, { aggregate: 'playground' }));
  await domains.dispatcher.drain();
  for (const { owner, calls, faults, slowestMs } of lines()) {
    const then = before.get(owner);
    if (calls === then?.calls) continue;
    const outcome = faults > (then?.faults ?? 0) ? 'failed' : 'answered';
    const step = { hook: token.name, kind: 'event', owner, outcome, tookMs: slowestMs } as const;
    trace.saw({ ...step, before: '', after: '' });
  }
}

function pretend({ domains: { hubLine } }: Latchkey): { fault: HubFault } {
  const state: { fault: HubFault } = { fault: 'none' };
  const send = hubLine.send.bind(hubLine);
  const sendOrFail: typeof send = (request) => hubFaults[state.fault]?.() ?? send(request);
  Object.defineProperty(hubLine, 'send', { value: sendOrFail });
  return state;
}

function failing(code: string): () => Promise<OutboundAnswer> {
  return () => Promise.reject(Object.assign(new Error(`Made up: ${code}`), { code }));
}

function answering(status: number, body: string, type: string): () => Promise<OutboundAnswer> {
  return () =>
    Promise.resolve({ status, headers: { 'content-type': type }, text: body, isCut: false, tookMs: 1 });
}

const mailsOf = ({ ground: { renderer } }: Latchkey, plugin: string): string[] =>
  renderer
    .names()
    .filter((name) => name.startsWith(`${plugin}/mail/`) && name.endsWith('.html'))
    .map((name) => name.slice(0, -'.html'.length));

function letterOf(
  { ground: { renderer } }: Latchkey,
  { mail, model, locale }: Question,
): { subject: string; html: string; text: string } {
  try {
    const site = { organisation: { name: 'Example' }, origin: '', timeZone: 'UTC' };
    return renderer.renderMail(mail, parsed(model), { locale, ...site });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { subject: problem, html: problem, text: '' };
  }
}

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

/** What cannot be read is nothing. */
function parsed(words: string): object {
  try {
    return asObject(JSON.parse(words));
  } catch {
    return {};
  }
}

const isNothing = (words: string): boolean => Object.keys(parsed(words)).length === 0;

/** Without the actor, who is put in again by whoever fires. */
function pretty(value: unknown): string {
  try {
    return JSON.stringify(value, (name, part: unknown) => (name === 'actor' ? undefined : part), 2);
  } catch {
    return '{}';
  }
}
