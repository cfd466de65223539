import { KnownError, InvalidInputError, type Actor, type Host } from 'latchkey/plugin-api';
import { findDead, type DeadKind } from './key-repository.ts';
import type { KeyService } from './key-service.ts';
import { DAY_MS } from './key-terms.ts';

export const deadKinds = ['expired', 'used-up', 'revoked'] as const satisfies readonly DeadKind[];
/** In one go; whatever is left is named, and goes with the next. */
export const MOST_AT_A_TIME = 500;
const MOST_DAYS = 3650;

export interface BulkResult {
  done: number;
  /** Ids that were not touched, and why: an error code each. */
  skipped: { id: string; code: string }[];
}

/** The same thing done to many keys, each with its own right, audit line and event. */
export class KeyBulk {
  readonly #host: Host;
  readonly #keys: KeyService;

  constructor({ host, keys }: { host: Host; keys: KeyService }) {
    this.#host = host;
    this.#keys = keys;
  }

  revoke(actor: Actor, ids: readonly string[]): Promise<BulkResult> {
    return eachOf(ids, (id) => this.#keys.revoke(actor, id));
  }

  /** The way back from a revocation of many. */
  restore(actor: Actor, ids: readonly string[]): Promise<BulkResult> {
    return eachOf(ids, (id) => this.#keys.restore(actor, id));
  }

  /** Moves the end of each by so many days, from today if it is over. */
  extend(actor: Actor, ids: readonly string[], days: number): Promise<BulkResult> {
    const now = this.#host.clock.now();
    assertDays(days);
    return eachOf(ids, async (id) => {
      const { version, expiresAt } = await this.#keys.get(actor, id);
      if (expiresAt === null) throw new InvalidInputError('invitation.never_ends');
      return this.#keys.edit(actor, id, version, { expiresAt: Math.max(expiresAt, now) + days * DAY_MS });
    });
  }

  /** How many keys lie dead, as far as this actor may clear them away; counted no further than one go reaches. */
  async countDead(actor: Actor, kinds: readonly DeadKind[]): Promise<number> {
    return (await this.#dead(actor, kinds)).length;
  }

  /** Dead keys go: those nobody used without a trace, the others from every list, with their history kept. */
  async purge(actor: Actor, kinds: readonly DeadKind[]): Promise<BulkResult & { left: boolean }> {
    const ids = await this.#dead(actor, kinds);
    const result = await eachOf(ids, (id) => this.#keys.remove(actor, id, { keepHistory: true }));
    return { ...result, left: ids.length === MOST_AT_A_TIME };
  }

  #dead(actor: Actor, kinds: readonly DeadKind[]): Promise<string[]> {
    const { db, clock } = this.#host;
    const entities = actor.entitiesWith('registration-key.manage');
    return findDead(db, { kinds, entities, now: clock.now(), limit: MOST_AT_A_TIME });
  }
}

function assertDays(days: number): void {
  if (Number.isInteger(days) && days >= 1 && days <= MOST_DAYS) return;
  const problem = { field: 'days', code: 'invitation.extend_days', params: { limit: MOST_DAYS } };
  throw new InvalidInputError('input.invalid', { fields: [problem] });
}

/** Does it to each on its own; a refusal is noted and stops nobody else. */
export async function eachOf(
  ids: readonly string[],
  act: (id: string) => Promise<unknown>,
): Promise<BulkResult> {
  const result: BulkResult = { done: 0, skipped: [] };
  for (const id of new Set(ids)) {
    try {
      await act(id);
      result.done += 1;
    } catch (error) {
      if (!(error instanceof KnownError)) throw error;
      result.skipped.push({ id, code: error.code });
    }
  }
  return result;
}
