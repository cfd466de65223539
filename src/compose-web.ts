import { createSecretKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Domains } from './compose-domains.ts';
import type { Ground } from './compose-ground.ts';
import { createApp, type AppDeps } from './http/app.ts';
import type { HealthCheck } from './http/health-handler.ts';
import { Metrics } from './http/metrics.ts';
import type { PageFacts, PageRenderer } from './http/renderer.ts';
import { authenticatorOf, type SignedInActor } from './identity/index.ts';
import { keepTrace } from './plugin-host/index.ts';
import type { Actor } from './shared/actor.ts';
import {
  emptyMenu,
  inBytes,
  KeptPages,
  LANGUAGES,
  menuVisible,
  pageBrand,
  pageModel,
  type PageContext,
  type VisibleMenu,
  type WantedSlots,
} from './views/index.ts';

const MAX_UPLOAD_BYTES = 20 * 1024 * 1024;
const MAX_UPLOADS = 10;
/** Deliveries that wait longer than this say that the queue is stuck. */
const STUCK_QUEUE_MS = 15 * 60_000;

/** What is bound to this installation: cookie names, and the key of its forms. */
export interface InstanceSecrets {
  csrfKey: KeyObject;
  /** Told apart from a second Latchkey on the same host; not secret. */
  instanceId: string;
}

/** Both follow from a key in the database, so that all nodes of one installation agree. */
export async function instanceSecrets({ keys }: Ground): Promise<InstanceSecrets> {
  const ring = await keys.ring('instance');
  const derived = (purpose: string): Buffer => ring.mac(purpose, 'latchkey').digest;
  return {
    csrfKey: createSecretKey(derived('csrf')),
    instanceId: derived('cookies').toString('hex').slice(0, 8),
  };
}

export async function composeWeb(
  ground: Ground,
  domains: Domains,
  {
    isAccepting,
    strict,
    onFault,
  }: { isAccepting: () => boolean; strict: boolean; onFault: (thrown: unknown) => void },
): Promise<ReturnType<typeof createApp>> {
  const { config, log, i18n, assets, hooks, db, clock } = ground;
  const { csrfKey, instanceId } = await instanceSecrets(ground);
  const metrics = new Metrics();
  addGauges(metrics, ground, domains);
  const deps: AppDeps = {
    log,
    onFault,
    meter: metrics,
    hooks,
    keepTrace: (trace) => keepTrace({ db, clock }, trace),
    assets,
    renderer: pageRenderer(ground, domains),
    authenticator: authenticatorOf(domains),
    cookieNames: { prefix: `latchkey_${instanceId}`, secure: config.baseUrl?.startsWith('https:') ?? false },
    csrfKey,
    origin: async () => (await domains.site()).origin,
    negotiate: (header) => i18n.negotiate(header) ?? 'en',
    languages: LANGUAGES,
    translate: (locale) => (key, params) => i18n.translate(locale, key, params),
    trustProxy: config.trustProxy,
    strict,
    uploads: { folder: join(config.dataDir, 'incoming'), maxBytes: MAX_UPLOAD_BYTES, maxFiles: MAX_UPLOADS },
    health: {
      checks: healthChecks(ground, domains),
      isAccepting,
      metrics: () => metrics.text(),
      metricsToken: config.metricsToken,
    },
  };
  return createApp(deps);
}

/** The house around a page: its name, the menu, what the reader has not read yet. */
function pageRenderer(
  { menu, renderer, slots, clock, hooks }: Ground,
  { site, notifications }: Domains,
): PageRenderer {
  const kept = new KeptPages({ renderer, now: () => clock.now() });
  const visibleMenu = async (actor: Actor, path: string): Promise<VisibleMenu> => {
    const visible = menu.visibleTo(actor, path);
    return actor.kind === 'guest'
      ? visible
      : hooks.filter(menuVisible, visible, { actorId: actor.userId, path });
  };
  const modelFor = async (template: string, model: object, { actor, locale }: PageFacts): Promise<object> =>
    hooks.filter(pageModel, model, { template, actorId: actor.userId, locale });
  const contextOf = async (facts: PageFacts, visible: VisibleMenu): Promise<PageContext> => {
    const { organisation, timeZone } = await site();
    const { actor, locale, nonce, csrf, flash, path, url, origin, fragment } = facts;
    return {
      actor: { kind: actor.kind, userId: actor.userId, name: actor.name },
      locale,
      nonce,
      csrf,
      flash,
      path,
      url,
      origin,
      fragment,
      organisation: { name: organisation, ...(await hooks.filter(pageBrand, {}, {})) },
      timeZone: isSignedIn(actor) ? (actor.timeZone ?? timeZone) : timeZone,
      theme: isSignedIn(actor) ? actor.theme : 'auto',
      menu: visible,
      unread: actor.kind === 'user' ? await notifications.unread(actor) : 0,
    };
  };
  return {
    page: async (template, given, facts, fresh) => {
      const model = fresh === undefined ? await modelFor(template, given, facts) : { ...given, ...fresh };
      const context = await contextOf(facts, await visibleMenu(facts.actor, facts.path));
      const resolved = await slots.resolve(wantedSlots(model), facts.actor, context);
      return renderer.render(template, model, context, resolved);
    },
    shared: async (template, model, facts, fresh) => {
      // Visitors' pages have no menu.
      const context = await contextOf(facts, emptyMenu);
      if (!('slots' in model)) return kept.render(template, model, context, fresh);
      const resolved = await slots.resolve(wantedSlots(model), facts.actor, context);
      return Object.keys(resolved).length === 0
        ? kept.render(template, model, context, fresh)
        : inBytes(renderer.render(template, { ...model, ...fresh }, context, resolved));
    },
  };
}

const wantedSlots = (model: object): WantedSlots => ('slots' in model ? (model.slots as WantedSlots) : {});

const isSignedIn = (actor: Actor): actor is SignedInActor => actor.kind === 'user' && 'theme' in actor;

function healthChecks({ db, keys, clock }: Ground, { dispatcher }: Domains): HealthCheck[] {
  return [
    { name: 'database', check: () => db.knex.raw('SELECT 1').then(() => null) },
    {
      name: 'keys',
      check: () => Promise.resolve(keys.lock === null ? null : 'locked: the master key is not the right one'),
    },
    {
      name: 'queue',
      check: async () => {
        const { oldestAt } = await dispatcher.stats();
        return oldestAt !== null && clock.now() - oldestAt > STUCK_QUEUE_MS
          ? 'deliveries wait too long'
          : null;
      },
    },
  ];
}

function addGauges(metrics: Metrics, { db, hooks }: Ground, { dispatcher, gate }: Domains): void {
  metrics.gauge(
    'queue_waiting',
    'Deliveries of events that wait.',
    async () => (await dispatcher.stats()).waiting,
  );
  metrics.series('plugin_milliseconds', 'What plugins have cost since the start, by place.', () =>
    hooks
      .costs()
      .map(({ owner, kind, name, totalMs }) => ({ labels: { owner, kind, name }, value: totalMs })),
  );
  metrics.series('plugin_faults', 'How often plugins have failed since the start, by place.', () =>
    hooks.costs().map(({ owner, kind, name, faults }) => ({ labels: { owner, kind, name }, value: faults })),
  );
  metrics.gauge('transaction_retries', 'Transactions that were run again since the start.', () => db.retries);
  metrics.gauge(
    'password_hashes_waiting',
    'People who wait for their password to be hashed or checked.',
    () => gate.waiting.redeem + gate.waiting['sign-in'],
  );
}
