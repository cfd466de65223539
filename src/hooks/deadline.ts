/** A promise that did not settle in time. */
export class DeadlineError extends Error {
  constructor(milliseconds: number) {
    super(`No answer within ${String(milliseconds)} ms`);
    this.name = 'DeadlineError';
  }
}

interface Waiting {
  until: number;
  giveUp(this: void): void;
}

const SWEEP_MS = 20;

/** One sweep over all that is being waited for: a timer for each call would cost fifty times the call. */
export class Deadlines {
  readonly #waiting = new Set<Waiting>();
  #sweeper: NodeJS.Timeout | null = null;

  /** Settles as `promise` does, or rejects with a `DeadlineError`; what comes later is ignored. */
  watch<T>(promise: PromiseLike<T>, milliseconds: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Waiting = {
        until: performance.now() + milliseconds,
        giveUp: () => {
          reject(new DeadlineError(milliseconds));
        },
      };
      this.#waiting.add(entry);
      this.#sweeper ??= setInterval(() => {
        this.#sweep();
      }, SWEEP_MS);
      promise.then(
        (value) => {
          this.#waiting.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(entry);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #sweep(): void {
    const now = performance.now();
    for (const entry of this.#waiting) {
      if (entry.until > now) continue;
      this.#waiting.delete(entry);
      entry.giveUp();
    }
    if (this.#waiting.size > 0 || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }
}
