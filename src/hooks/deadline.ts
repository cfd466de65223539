/** A promise that did not settle in time. */
export class DeadlineError extends Error {
  constructor(milliseconds: number) {
    super(`No answer within ${String(milliseconds)} ms`);
    this.name = 'DeadlineError';
  }
}

/** Something that is being waited for. */
export interface Awaited {
  /** How many more sweeps it may last. */
  sweepsLeft: number;
  giveUp: () => void;
}

const SWEEP_MS = 20;

/** In sweeps; the first comes at any moment and does not count. */
export const sweepsIn = (milliseconds: number): number => Math.ceil(milliseconds / SWEEP_MS) + 1;

/**
 * One sweep over all that is being waited for: a timer for each call would cost fifty times the call. It counts sweeps, not
 * time, so that nobody is given up because somebody else kept the whole process busy.
 */
export class Deadlines {
  readonly #waiting = new Set<Awaited>();
  #sweeper: NodeJS.Timeout | null = null;

  add(awaited: Awaited): void {
    this.#waiting.add(awaited);
    this.#sweeper ??= setInterval(() => {
      this.#sweep();
    }, SWEEP_MS);
  }

  delete(awaited: Awaited): void {
    this.#waiting.delete(awaited);
  }

  /** Settles as `promise` does, or rejects with a `DeadlineError`; what comes later is ignored. */
  async watch<T>(promise: PromiseLike<T>, milliseconds: number): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      reject(new DeadlineError(milliseconds));
    };
    const awaited = { sweepsLeft: sweepsIn(milliseconds), giveUp };
    this.add(awaited);
    try {
      return await Promise.race([promise, late]);
    } finally {
      this.delete(awaited);
    }
  }

  #sweep(): void {
    for (const awaited of this.#waiting) {
      awaited.sweepsLeft -= 1;
      if (awaited.sweepsLeft > 0) continue;
      this.#waiting.delete(awaited);
      awaited.giveUp();
    }
    if (this.#waiting.size > 0 || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }
}
