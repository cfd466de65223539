import type { Host } from 'latchkey/plugin-api';
import { findKeys } from '../keys/key-repository.ts';
import { keysJoinedBy } from '../seats/redemption-repository.ts';
import type { StepWalk } from './step-walk.ts';

export const SAFE_LANDING = '/tickets/new?welcome=1';
const NEWEST = 5;

/** Where somebody arrives who has just joined. */
export class Landing {
  readonly #host: Host;
  readonly #walk: StepWalk;

  constructor(host: Host, walk: StepWalk) {
    this.#host = host;
    this.#walk = walk;
  }

  /** First steps that are still to be taken; else where the key leads, if it opens for them; else a first ticket. */
  async of(userId: string, wanted: string, locale: string): Promise<string> {
    const ids = await keysJoinedBy(this.#host.db, userId, NEWEST);
    const keys = await findKeys(this.#host.db, ids);
    for (const id of ids) {
      const key = keys.get(id);
      const way = key && (await this.#walk.wayOf(key, 'after', { userId }, locale));
      if (way && way.open.length > 0) return firstStepsPath(id);
    }
    return this.safe(userId, wanted);
  }

  /** Whoever had an account before is not asked for a first ticket. */
  async ofMember(userId: string, wanted: string, locale: string): Promise<string> {
    const path = await this.of(userId, wanted, locale);
    return path === SAFE_LANDING ? '/' : path;
  }

  /** A page that is private, gone, or of another house is nowhere to send a newcomer. */
  async safe(userId: string, wanted: string): Promise<string> {
    return (await this.#host.mayVisit(userId, wanted)) ? wanted : SAFE_LANDING;
  }
}

export const firstStepsPath = (keyId: string): string => `/join/first-steps/${keyId}`;
