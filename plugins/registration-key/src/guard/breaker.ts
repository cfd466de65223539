import type { Actor, Host } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { KeyCare } from '../seats/key-care.ts';
import { findKey } from '../keys/key-repository.ts';
import type { KeyService } from '../keys/key-service.ts';
import { tripReason, weighed, type Thresholds, type Traffic } from './breaker-rules.ts';
import { countRefusals, keysWithRefusals } from './event-repository.ts';
import { busyKeys, findGuard, saveGuard, seatsByNetwork } from './guard-repository.ts';

interface Deps {
  host: Host;
  care: KeyCare;
  keys: KeyService;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const SPEED_MS = 10 * MINUTE_MS;
const USUAL_MS = 7 * DAY_MS;
const ABOUT_ADDRESS = ['invitation.wrong_domain', 'invitation.wrong_email'];

/**
 * Pauses a key by which people come as they never did, and asks its owner. It reads what joining has written, after the fact and
 * apart from it, so that nobody who joins waits for it.
 */
export class Breaker {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Looks at every key that was busy lately; answers how many it paused. */
  async watch(signal: AbortSignal): Promise<number> {
    const { host } = this.#deps;
    if (!(await host.settings.get<boolean>('breakerOn'))) return 0;
    const limits = await this.#limits();
    const hourAgo = host.clock.now() - HOUR_MS;
    const seen = new Set([
      ...(await busyKeys(host.db, hourAgo, Math.min(limits.joins, limits.networks))),
      ...(await keysWithRefusals(host.db, hourAgo, limits.rejectedAtLeast)),
    ]);
    let tripped = 0;
    for (const id of seen) {
      if (signal.aborted) break;
      if (await this.#judge(id, limits)) tripped += 1;
    }
    return tripped;
  }

  /** What its page says when the breaker, or somebody who found it, paused it. */
  async notice(key: InvitationKey, { mayManage }: { mayManage: boolean }): Promise<object | null> {
    if (key.pausedReason !== 'breaker' && key.pausedReason !== 'reported') return null;
    const state = await findGuard(this.#deps.host.db, key.id);
    if (state === null) return null;
    const { trippedBy, trippedAt, trippedFacts } = state;
    const by = key.pausedReason === 'reported' ? 'reported' : trippedBy;
    return { id: key.id, by, at: trippedAt, facts: trippedFacts ?? {}, mayManage };
  }

  /** The owner says it is as it should be: people come in again, and for an hour nothing is unusual. */
  async resume(actor: Actor, id: string, { raise }: { raise: boolean }): Promise<void> {
    const { host, keys } = this.#deps;
    const key = await keys.resume(actor, id);
    const raisedUntil = host.clock.now() + (raise ? HOUR_MS : SPEED_MS);
    await host.transaction(async (tx) => {
      await saveGuard(tx, id, { raisedUntil });
      if (raise)
        await host.audit.record(tx, actor, {
          action: 'invitation-key.limit-raised',
          subject: { type: 'invitation-key', id, label: key.label === '' ? key.hint : key.label },
          entityId: key.entityId,
          after: { until: new Date(raisedUntil).toISOString() },
        });
    });
  }

  async #judge(id: string, limits: Thresholds): Promise<boolean> {
    const { host, care } = this.#deps;
    const key = await findKey(host.db, id);
    if (key === null || key.pausedAt !== null || key.revokedAt !== null) return false;
    const state = await findGuard(host.db, id);
    const now = host.clock.now();
    if (state?.raisedUntil !== null && state !== null && now < state.raisedUntil) return false;
    const traffic = await this.#traffic(key, now);
    const reason = tripReason(traffic, limits, { isClosed: isClosed(key) });
    if (reason === null) return false;
    await host.transaction((tx) =>
      saveGuard(tx, id, { trippedAt: now, trippedBy: reason, trippedFacts: { ...traffic } }),
    );
    await care.pause(key, 'breaker');
    return true;
  }

  async #traffic(key: InvitationKey, now: number): Promise<Traffic> {
    const { db } = this.#deps.host;
    const lately = await seatsByNetwork(db, key.id, { since: now - SPEED_MS, until: now + 1 });
    const hour = await seatsByNetwork(db, key.id, { since: now - HOUR_MS, until: now + 1 });
    const before = await seatsByNetwork(db, key.id, { since: now - USUAL_MS, until: now - HOUR_MS });
    const refusals = await countRefusals(db, key.id, now - HOUR_MS);
    const rejected = ABOUT_ADDRESS.reduce((sum, reason) => sum + (refusals.get(reason) ?? 0), 0);
    const joined = [...hour.values()].reduce((sum, count) => sum + count, 0);
    const age = Math.min(USUAL_MS, Math.max(DAY_MS, now - HOUR_MS - key.createdAt));
    return {
      joins: weighed(lately),
      networks: hour.size,
      rejected,
      tried: joined + rejected,
      usualJoins: (weighed(before) * SPEED_MS) / age,
      usualNetworks: (before.size * HOUR_MS) / age,
    };
  }

  async #limits(): Promise<Thresholds> {
    const { settings } = this.#deps.host;
    const number = (name: string): Promise<number> => settings.get<number>(name);
    return {
      factor: await number('breakerFactor'),
      joins: await number('breakerJoins'),
      networks: await number('breakerNetworks'),
      rejectedShare: await number('breakerRejectedShare'),
      rejectedAtLeast: await number('breakerRejected'),
    };
  }
}

/** Only proven addresses that it names get in. */
const isClosed = ({ email, emailDomains, approval, emailProof }: InvitationKey): boolean =>
  emailProof === 'required' && (email !== null || (emailDomains.length > 0 && approval !== 'domain'));
