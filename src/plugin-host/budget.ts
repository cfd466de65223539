import { Lane } from './lane.ts';
import type { Clock } from '../shared/clock.ts';
import { TooManyError } from '../shared/errors.ts';

const WINDOW_MS = 60_000;

/** In one minute, of one plugin, on one server: far above what the busiest of ours do, far below what drowns a house. */
const perMinute = { lines: 600, events: 3_000, mails: 3_000 } as const;
type Spent = keyof typeof perMinute;
type Limited = Spent | 'transactions';

/** Transactions of one plugin at the same time: the rest of the pool is for everybody else. */
const transactions = { width: 8, longest: 1_000 };
/** Its jobs at the same time; the others begin when one of these has ended. */
const jobs = { width: 4, longest: 1_000 };

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
  readonly #transactions = new Lane(transactions);
  readonly #jobs = new Lane(jobs);

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** @throws {TooManyError} `plugin.too-much` */
  spend(what: Spent, count = 1): void {
    if (!this.allows(what, count)) throw this.#refusal(what);
  }

  allows(what: Spent, count = 1): boolean {
    const now = this.#deps.clock.now();
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + WINDOW_MS;
      this.#spent = { lines: 0, events: 0, mails: 0 };
      this.#isTold = false;
    }
    this.#spent[what] += count;
    if (this.#spent[what] <= perMinute[what]) return true;
    this.#tell(what);
    return false;
  }

  /** Has a connection for `work` when it is its turn. */
  async aTransaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.#transactions.isFull) throw this.#refusal('transactions');
    return this.#transactions.through(work);
  }

  aJob(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    return this.#jobs.through(work, signal);
  }

  #refusal(what: Limited): TooManyError {
    this.#tell(what);
    return this.#tooMuch(what);
  }

  #tell(what: Limited): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#deps.told(this.#tooMuch(what));
  }

  #tooMuch(what: Limited): TooManyError {
    const { plugin, clock } = this.#deps;
    const limit = what === 'transactions' ? String(transactions.longest) : `${String(perMinute[what])} / min`;
    const seconds = Math.max(1, Math.ceil((this.#windowEnds - clock.now()) / 1_000));
    return new TooManyError('plugin.too-much', { params: { plugin, what, limit }, retryAfter: seconds });
  }
}
