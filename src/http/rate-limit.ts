import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { MomentaryDigests } from '../crypto/momentary-digests.ts';
import { TooManyError, UnavailableError } from '../shared/errors.ts';

interface Limit {
  /** What is counted. */
  name: string;
  points: number;
  perSeconds: number;
}

/**
 * Counts tries in the memory of this process: exact on one node, on several as many times higher. What must hold over all nodes
 * is counted in the database by whoever owns it. Keys are kept as digests, so that no address lies around.
 * What cannot be counted is not let through.
 */
export class RateLimits {
  readonly #limiters = new Map<string, RateLimiterMemory>();
  /** Most limits are one and the same object each time. */
  readonly #byLimit = new WeakMap<Limit, RateLimiterMemory>();
  readonly #digests = new MomentaryDigests();

  /** Counts one against `key`. @throws {TooManyError} when there were too many */
  async count(limit: Limit, key: string): Promise<void> {
    try {
      await this.#limiter(limit).consume(this.#digests.of(key));
    } catch (refused) {
      throw refused instanceof RateLimiterRes ? tooMany(refused.msBeforeNext) : away(refused);
    }
  }

  /** @throws {TooManyError} when the limit is reached; counts nothing */
  async check(limit: Limit, key: string): Promise<void> {
    const counted = await this.#counted(limit, key);
    if (counted && counted.consumedPoints >= limit.points) throw tooMany(counted.msBeforeNext);
  }

  async #counted(limit: Limit, key: string): Promise<RateLimiterRes | null> {
    try {
      return await this.#limiter(limit).get(this.#digests.of(key));
    } catch (cause) {
      throw away(cause);
    }
  }

  #limiter(limit: Limit): RateLimiterMemory {
    const known = this.#byLimit.get(limit) ?? this.#limiterFor(limit);
    this.#byLimit.set(limit, known);
    return known;
  }

  #limiterFor({ name, points, perSeconds }: Limit): RateLimiterMemory {
    const id = [name, points, perSeconds].join('|');
    const known = this.#limiters.get(id);
    if (known) return known;
    const limiter = new RateLimiterMemory({ keyPrefix: '', points, duration: perSeconds });
    this.#limiters.set(id, limiter);
    return limiter;
  }
}

const tooMany = (milliseconds: number): TooManyError =>
  new TooManyError('too-many', { retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)) });

const away = (cause: unknown): UnavailableError =>
  new UnavailableError('limits.away', { cause, retryAfter: 30 });
