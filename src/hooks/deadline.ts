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
  /** Its neighbours in the list of all that is waited for: joining and leaving it makes nothing. */
  before: Awaited | null;
  after: Awaited | null;
  giveUp: () => void;
}

const SWEEP_MS = 20;
/** What a sweep counts while people wait for the house's own database: whoever asks it waits with them. */
const IN_A_CROWD = 1 / 8;

/** In sweeps; the first comes at any moment and does not count. */
export const sweepsIn = (milliseconds: number): number => Math.ceil(milliseconds / SWEEP_MS) + 1;

/**
 * One sweep over all that is being waited for: a timer for each call would cost fifty times the call. It counts sweeps, not
 * time, so that nobody is given up because somebody else kept the whole process busy.
 */
export class Deadlines {
  readonly #isCrowded: () => boolean;
  #first: Awaited | null = null;
  #sweeper: NodeJS.Timeout | null = null;

  constructor(isCrowded: () => boolean = () => false) {
    this.#isCrowded = isCrowded;
  }

  add(awaited: Awaited): void {
    awaited.after = this.#first;
    if (this.#first) this.#first.before = awaited;
    this.#first = awaited;
    this.#sweeper ??= setInterval(() => {
      this.#sweep();
    }, SWEEP_MS);
  }

  delete(awaited: Awaited): void {
    const { before, after } = awaited;
    if (before) before.after = after;
    else if (this.#first === awaited) this.#first = after;
    if (after) after.before = before;
    awaited.before = null;
    awaited.after = null;
  }

  /** Settles as `promise` does, or rejects with a `DeadlineError`; what comes later is ignored. */
  async watch<T>(promise: PromiseLike<T>, milliseconds: number): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      reject(new DeadlineError(milliseconds));
    };
    const awaited = { sweepsLeft: sweepsIn(milliseconds), before: null, after: null, giveUp };
    this.add(awaited);
    try {
      return await Promise.race([promise, late]);
    } finally {
      this.delete(awaited);
    }
  }

  #sweep(): void {
    const counts = this.#isCrowded() ? IN_A_CROWD : 1;
    for (let awaited = this.#first; awaited !== null;) {
      // Giving up may put others, or itself anew, at the head of the list.
      const { after } = awaited;
      awaited.sweepsLeft -= counts;
      if (awaited.sweepsLeft <= 0) {
        this.delete(awaited);
        awaited.giveUp();
      }
      awaited = after;
    }
    if (this.#first !== null || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }
}
