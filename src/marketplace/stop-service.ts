import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import { covers, type EntitlementService, type TrustService } from '../network/index.ts';
import type { NotificationKind, NotificationService } from '../notifications/index.ts';
import type { Objection, PluginFacts, PluginHost } from '../plugin-host/index.ts';
import { system, type Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import { findItem } from './catalogue-repository.ts';
import { causeAgainst, isStopping, type Stop, type StopCause, type Trial } from './stop.ts';
import {
  allowStop,
  deleteStop,
  findStop,
  listStops,
  listTrials,
  noteEntitled,
  putStop,
} from './stop-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  plugins: Pick<PluginHost, 'list' | 'find' | 'enable' | 'disable'>;
  trust: Pick<TrustService, 'rules' | 'now'>;
  entitlements: Pick<EntitlementService, 'status'>;
  notifications: Pick<NotificationService, 'notify'>;
  /** Whoever looks after plugins. */
  caretakers: () => Promise<{ id: string }[]>;
}

const kindOf = (cause: StopCause, icon: string): NotificationKind => ({
  id: `marketplace.${cause}`,
  text: `marketplace:notice.${cause}`,
  label: `marketplace:notice-kind.${cause}`,
  icon,
  bell: true,
  mail: true,
});
const kinds: Record<StopCause, NotificationKind> = {
  withdrawn: kindOf('withdrawn', 'alert-triangle'),
  warned: kindOf('warned', 'alert-triangle'),
  trial: kindOf('trial', 'clock'),
};
export const stopNotices: readonly NotificationKind[] = Object.values(kinds);

/**
 * Stops what the keepers of the hub have withdrawn for security, and what was tried and never paid for. Nothing else that is installed is
 * ever stopped from outside.
 */
export class StopService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Compares what is here with what is known of it now; safe to repeat. */
  async look(): Promise<void> {
    const { db, plugins, trust } = this.#deps;
    const stops = new Map((await listStops(db)).map((stop) => [stop.pluginId, stop]));
    const trials = await this.#trials();
    const known = { rules: await trust.rules(), now: await trust.now(), stops, trials };
    const here = await plugins.list('en');
    for (const plugin of here) {
      const against = causeAgainst(plugin, known);
      const before = stops.get(plugin.id);
      if (against === null) {
        if (before) await this.#lift(before);
        continue;
      }
      const isKnown = before?.version === against.version && before.cause === against.cause;
      const stop = isKnown ? before : await this.#note(plugin, against);
      if (plugin.desired === 'enabled' && isStopping(stop)) await plugins.disable(system, plugin.id);
    }
    const gone = [...stops.values()].filter(({ pluginId }) => !here.some(({ id }) => id === pluginId));
    for (const stop of gone) await this.#lift(stop);
  }

  async list(actor: Actor): Promise<Stop[]> {
    assertMay(actor);
    return listStops(this.#deps.db);
  }

  async find(actor: Actor, pluginId: string): Promise<{ stop: Stop; plugin: PluginFacts }> {
    assertMay(actor);
    const stop = await findStop(this.#deps.db, pluginId);
    if (!stop) throw new NotFoundError('marketplace.not-stopped', { params: { plugin: pluginId } });
    return { stop, plugin: await this.#deps.plugins.find(pluginId, actor.locale) };
  }

  /** Somebody who knows better lets this version run all the same, and says why. */
  async allow(actor: Actor, pluginId: string, because: string): Promise<PluginFacts> {
    const { db, clock, audit, plugins } = this.#deps;
    const { stop } = await this.find(actor, pluginId);
    const params = { plugin: pluginId };
    if (because.trim() === '')
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'reason', code: 'marketplace.say-why' }],
      });
    await db.transaction(async (tx) => {
      const allowed = { allowedAt: clock.now(), allowedBy: actor.name, allowedBecause: because.trim() };
      if (!(await allowStop(tx, stop, allowed)))
        throw new ConflictError('marketplace.not-stopped', { params });
      await audit.record(tx, actor, {
        action: 'marketplace.stop-overridden',
        subject: { type: 'plugin', id: pluginId, label: `${pluginId} ${stop.version}` },
        after: { reason: because.trim(), withdrawnBecause: stop.reason },
      });
    });
    return plugins.enable(actor, pluginId);
  }

  /** For the plugin host, which asks before it lets a version run. */
  async objectionTo(pluginId: string, version: string): Promise<Objection | null> {
    const stop = await findStop(this.#deps.db, pluginId);
    if (stop?.version !== version || stop.allowedAt !== null) return null;
    return {
      code: `marketplace.stopped.${stop.cause}`,
      params: { plugin: pluginId, version, reason: stop.reason },
      path: pathOfStop(pluginId),
      isStopping: isStopping(stop),
    };
  }

  /** With those that the offer covers by now written down as such. */
  async #trials(): Promise<ReadonlyMap<string, Trial>> {
    const { db, clock, entitlements } = this.#deps;
    const trials = await listTrials(db);
    const open = trials.filter(({ entitledAt }) => entitledAt === null);
    if (open.length === 0) return new Map(trials.map((trial) => [trial.pluginId, trial]));
    const { trials: _tried, ...paper } = await entitlements.status();
    for (const { pluginId } of open) {
      const required = (await findItem(db, pluginId))?.requiredOffers;
      if (!required || !covers({ ...paper, trials: {} }, { id: pluginId, required })) continue;
      await db.transaction((tx) => noteEntitled(tx, pluginId, clock.now()));
    }
    return new Map((await listTrials(db)).map((trial) => [trial.pluginId, trial]));
  }

  async #note({ id, name }: PluginFacts, against: Pick<Stop, 'version' | 'cause' | 'reason'>): Promise<Stop> {
    const { db, clock, audit, notifications, caretakers } = this.#deps;
    const nobody = { allowedAt: null, allowedBy: null, allowedBecause: null };
    const { version, cause, reason } = against;
    const stop: Stop = { pluginId: id, version, cause, reason, stoppedAt: clock.now(), ...nobody };
    const userIds = (await caretakers()).map((user) => user.id);
    await db.transaction(async (tx) => {
      await putStop(tx, stop);
      await audit.record(tx, system, {
        action: `marketplace.${cause === 'warned' ? 'warned-of' : 'stopped'}`,
        subject: { type: 'plugin', id, label: `${id} ${version}` },
        after: { cause, reason },
      });
      await notifications.notify(tx, {
        userIds,
        kind: kinds[cause].id,
        subject: { type: 'plugin', id },
        link: pathOfStop(id),
        params: { name, version, reason },
      });
    });
    return stop;
  }

  async #lift({ pluginId, version }: Stop): Promise<void> {
    const { db, audit } = this.#deps;
    await db.transaction(async (tx) => {
      await deleteStop(tx, pluginId);
      await audit.record(tx, system, {
        action: 'marketplace.stop-lifted',
        subject: { type: 'plugin', id: pluginId, label: `${pluginId} ${version}` },
      });
    });
  }
}

const pathOfStop = (pluginId: string): string => `/admin/marketplace/stopped/${encodeURIComponent(pluginId)}`;

function assertMay(actor: Actor): void {
  if (!actor.can('plugin.manage')) throw new ForbiddenError('forbidden');
}
