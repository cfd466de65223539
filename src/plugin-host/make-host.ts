import type { KeyRing } from '../crypto/key-ring.ts';
import type { Route } from '../http/route.ts';
import type { JobDefinition } from '../jobs/index.ts';
import { KnownError, UnavailableError } from '../shared/errors.ts';
import { charging, type Charging } from './charging.ts';
import { Budget } from './budget.ts';
import { assertClaimed, assertRightsKnown } from './claims.ts';
import type { Host, Limit, SlotModel } from './host.ts';
import type { Manifest } from './manifest.ts';
import { mayVisit } from './may-visit.ts';
import { settingTokenOf } from './plugin-settings.ts';
import { pluginTransaction } from './plugin-transaction.ts';
import type { Ground, Registries, Services } from './registries.ts';
import { DisposedError, type Scope } from './scope.ts';
import { sharedServices } from './shared-services.ts';

interface Parts {
  manifest: Manifest;
  scope: Scope;
  keys: KeyRing;
  ground: Ground;
  registries: Registries;
  services: Services;
  /** Something of this plugin's went wrong at `where`. */
  blame: (where: string, error: unknown) => void;
  /** It listens to this hook from now on. */
  heard: (hook: string) => void;
}

/** The one object a plugin gets. Everything on it goes through the scope, so that the host can take it all back. */
export function makeHost(parts: Parts): Host {
  const { manifest, scope, keys, ground, registries, services, blame, heard } = parts;
  const { id } = manifest;
  const { hooks } = registries;
  const log = ground.log.child({ plugin: id });
  const budget = new Budget({
    plugin: id,
    clock: ground.clock,
    told: (error) => {
      blame('flood', error);
    },
  });

  return {
    plugin: { id, version: manifest.version },
    clock: ground.clock,
    node: ground.node,
    log: {
      info: (facts, message) => {
        if (budget.allows('lines')) log.info(facts, message);
      },
      warn: (facts, message) => {
        if (budget.allows('lines')) log.warn(facts, message);
      },
      error: (facts, message) => {
        if (budget.allows('lines')) log.error(facts, message);
      },
    },
    signal: scope.signal,

    filter: (token, listener, order) => {
      heard(token.name);
      scope.register(() => hooks.onFilter(id, token, listener, order));
    },
    veto: (token, listener, order) => {
      heard(token.name);
      scope.register(() => hooks.onVeto(id, token, listener, order));
    },
    on: (token, listener) => {
      heard(token.name);
      scope.register(() =>
        hooks.onEvent(id, token, (payload, delivery) => scope.busyWith(() => listener(payload, delivery))),
      );
    },
    contribute: (token, listener, order) => {
      heard(token.name);
      scope.register(() => hooks.onContribution(id, token, listener, order));
    },
    provideHooks: (tokens) => {
      scope.register(() => hooks.declare(tokens));
    },
    gather: (token, context) => {
      scope.assertAlive();
      return hooks.gather(token, context);
    },
    applyFilter: async (token, value, context) => {
      scope.assertAlive();
      return hooks.filter(token, value, context);
    },
    askVeto: (token, context) => {
      scope.assertAlive();
      return hooks.veto(token, context);
    },
    emit: async (tx, token, payload, about) => {
      scope.assertAlive();
      budget.spend('events');
      return hooks.emit(tx, token, payload, about);
    },

    routes: (routes) => {
      assertClaimed(manifest, routes);
      assertRightsKnown(manifest, routes, (right) => registries.rights.has(right));
      const all = routes.map((route) => attributed(route, { scope, blame, charge: charging(hooks, id) }));
      scope.register(() => registries.routes.add(all, id), { isDoor: true });
    },
    slot: (slot: string, template: string, model: SlotModel<never>) => {
      assertDeclared(manifest, 'slots', slot);
      const listener = (context: unknown, actor: Parameters<typeof model>[1]): ReturnType<typeof model> =>
        model(context as never, actor);
      scope.register(() => registries.slots.add(slot, id, template, listener));
    },
    job: (name, run) => {
      const job = manifest.jobs.find((declared) => declared.id === name);
      if (!job) throw undeclared('jobs', name);
      const { everyMs, cron } = job;
      const definition: JobDefinition = {
        id: `${id}.${name}`,
        ...(cron === undefined ? { everyMs: everyMs ?? 0 } : { cron }),
        runOn: job.run,
        run: (turn) =>
          budget.aJob(
            () => scope.busyWith(() => charging(hooks, id)('job', name, async () => run(turn))),
            turn.signal,
          ),
      };
      scope.register(() => registries.jobs.every(definition), { isDoor: true });
    },
    command: (definition) => {
      assertDeclared(manifest, 'commands', definition.name);
      scope.register(() => registries.commands.add(definition));
    },
    ...sharedServices({
      manifest,
      scope,
      offered: registries.offered,
      chargeTo: (plugin) => charging(hooks, plugin),
    }),
    onDispose: (task) => {
      scope.farewell(task);
    },

    db: ground.db,
    transaction: async (work) => {
      scope.assertAlive();
      try {
        return await budget.aTransaction(() => pluginTransaction(ground.db, work, { plugin: id }));
      } catch (error) {
        if (error instanceof KnownError && error.code === 'plugin.transaction-too-long')
          blame('transaction', error);
        throw error;
      }
    },

    users: lent(services.users, 'users', parts),
    passkeys: lent(services.passkeys, 'users', parts),
    providers: lent(services.providers, 'users', parts),
    memberships: lent(services.memberships, 'memberships', parts),
    mail: lent(withinBudget(services.mail, budget), 'mail', parts),
    tickets: lent(services.tickets(id), 'tickets', parts),
    sessions: lent(services.sessions, 'sessions', parts),
    audit: lent(services.audit, null, parts),
    limits: lent(ownLimits(services.limits, id), null, parts),
    notices: {
      addKind: (kind) => {
        if (!kind.id.startsWith(`${id}.`)) throw new Error(`A kind of notice of ${id} begins with "${id}."`);
        scope.register(() => services.notifications.addKind(kind));
      },
      notify: async (tx, notice) => {
        scope.assertAlive();
        budget.spend('mails', notice.userIds.length);
        return services.notifications.notify(tx, notice);
      },
    },
    outbound: wayOut(parts),
    keys,
    settings: {
      get: async <T>(name: string) => {
        const setting = manifest.settings.find((declared) => declared.name === name);
        if (!setting) throw undeclared('settings', name);
        return (await ground.settings.get(settingTokenOf(manifest, setting))) as T;
      },
    },
    site: () => services.site(),
    mayVisit: async (userId, path) => {
      scope.assertAlive();
      const actor = await services.users.actorOf(userId);
      return actor !== null && mayVisit(registries.routes.all(), actor, path);
    },
    t: (key, params, locale) => registries.i18n.translate(locale, `${id}:${key}`, params),
  };
}

/** Only to hosts that the manifest names; `*` is any. */
function wayOut({ manifest, scope, services }: Parts): Host['outbound'] {
  const mayCall = ({ hostname }: URL): boolean =>
    manifest.permissions.net.some((host) => host === '*' || host === hostname);
  return {
    send: (request) => {
      scope.assertAlive();
      const url = services.outbound.assertCallable(request.url);
      if (!mayCall(url))
        throw new Error(`plugin.json of ${manifest.id} does not ask to call ${url.hostname}`);
      const signal = request.signal ? AbortSignal.any([request.signal, scope.signal]) : scope.signal;
      return services.outbound.send({ ...request, signal });
    },
    problemOf: (address) => {
      try {
        return mayCall(services.outbound.assertCallable(address)) ? null : 'This plugin may not call it';
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
}

/** What is under way is counted, and what goes wrong has a name. */
const attributed = (
  route: Route,
  { scope, blame, charge }: Pick<Parts, 'scope' | 'blame'> & { charge: Charging },
): Route => ({
  ...route,
  ...(route.admit
    ? {
        admit: (head) => scope.busyWith(() => named(route, { blame, charge }, () => route.admit?.(head))),
      }
    : {}),
  handler: (incoming) => scope.busyWith(() => named(route, { blame, charge }, () => route.handler(incoming))),
});

async function named<T>(
  { method, path }: Route,
  { blame, charge }: Pick<Parts, 'blame'> & { charge: Charging },
  work: () => T | Promise<T>,
): Promise<T> {
  const name = `${method.toUpperCase()} ${path}`;
  try {
    return await charge('route', name, work);
  } catch (error) {
    // It was ended in the middle, by whomever: that is not its fault.
    if (error instanceof DisposedError)
      throw new UnavailableError('plugin.went-away', {
        params: { plugin: error.plugin },
        retryAfter: 5,
        cause: error,
      });
    if (!(error instanceof KnownError)) blame(name, error);
    throw error;
  }
}

/** Mails are counted as they are queued. */
const withinBudget = (mail: Services['mail'], budget: Budget): Services['mail'] =>
  new Proxy(mail, {
    get: (target, property) => {
      if (property === 'queue') budget.spend('mails');
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

/** Counters of two plugins never meet. */
function ownLimits(limits: Services['limits'], id: string): Services['limits'] {
  const own = new WeakMap<Limit, Limit>();
  const ownOf = (limit: Limit): Limit => {
    const known = own.get(limit) ?? { ...limit, name: `${id}.${limit.name}` };
    own.set(limit, known);
    return known;
  };
  return {
    count: (limit, key) => limits.count(ownOf(limit), key),
    check: (limit, key) => limits.check(ownOf(limit), key),
  };
}

/** A service of core, while the plugin runs and as far as its manifest asked for it. */
function lent<T extends object>(
  service: T,
  permission: 'users' | 'memberships' | 'mail' | 'tickets' | 'sessions' | null,
  { manifest, scope }: Parts,
): T {
  return new Proxy(service, {
    get: (target, property) => {
      scope.assertAlive();
      if (permission && !isGranted(manifest.permissions[permission])) {
        throw new Error(`plugin.json of ${manifest.id} does not ask for the permission "${permission}"`);
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const isGranted = (permission: boolean | readonly string[]): boolean =>
  typeof permission === 'boolean' ? permission : permission.length > 0;

function assertDeclared(manifest: Manifest, list: 'slots' | 'commands', name: string): void {
  if (!manifest[list].includes(name)) throw undeclared(list, name);
}

const undeclared = (list: string, name: string): Error =>
  new Error(`"${name}" does not stand under "${list}" in plugin.json`);
