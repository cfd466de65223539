import type { Clock } from '../shared/clock.ts';
import { TooManyError } from '../shared/errors.ts';

const WINDOW_MS = 60_000;

/** In one minute, of one plugin, on one server: far above what the busiest of ours do, far below what drowns a house. */
const perMinute = { lines: 600, events: 3_000, mails: 1_000 } as const;
type Spent = keyof typeof perMinute;

/** Transactions of one plugin at the same time: the rest of the pool is for everybody else. */
const AT_ONCE = 8;
/** Those that wait for their turn. */
const WAITING = 1_000;

interface Deps {
  plugin: string;
  clock: Clock;
  /** Hears once a minute of a plugin that is too much. */
  told: (error: TooManyError) => void;
}

/** Keeps one plugin from filling the log, the queues and the pool for all. What is too much is refused to it alone. */
export class Budget {
  readonly #deps: Deps;
  #windowEnds = 0;
  #spent: Record<Spent, number> = { lines: 0, events: 0, mails: 0 };
  #isTold = false;
  #open = 0;
  readonly #queue: PromiseWithResolvers<unknown>[] = [];

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** @throws {TooManyError} `plugin.too-much` */
  spend(what: Spent): void {
    if (!this.allows(what)) throw this.#refusal(what);
  }

  allows(what: Spent): boolean {
    const now = this.#deps.clock.now();
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + WINDOW_MS;
      this.#spent = { lines: 0, events: 0, mails: 0 };
      this.#isTold = false;
    }
    this.#spent[what] += 1;
    if (this.#spent[what] <= perMinute[what]) return true;
    this.#tell(what);
    return false;
  }

  /** Has a connection for `work` when it is its turn. */
  async oneOfFew<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open >= AT_ONCE) await this.#turn();
    else this.#open += 1;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next.resolve(null);
      else this.#open -= 1;
    }
  }

  #turn(): Promise<unknown> {
    if (this.#queue.length >= WAITING) throw this.#refusal('transactions');
    const turn = Promise.withResolvers<unknown>();
    this.#queue.push(turn);
    return turn.promise;
  }

  #refusal(what: string): TooManyError {
    this.#tell(what);
    return tooMuch(this.#deps.plugin, what);
  }

  #tell(what: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#deps.told(tooMuch(this.#deps.plugin, what));
  }
}

const tooMuch = (plugin: string, what: string): TooManyError =>
  new TooManyError('plugin.too-much', { params: { plugin, what }, retryAfter: WINDOW_MS / 1_000 });
