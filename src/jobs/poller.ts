import type { Log } from '../log.ts';

interface Options {
  /** Says whether there may be more to do right away. */
  work: () => Promise<boolean>;
  /** How long to sleep when there is nothing, unless nudged. */
  idleMs: number;
  log: Log;
  name: string;
}

/** Does `work` again and again: at once while there is some, else after a pause or when nudged. */
export class Poller {
  readonly #options: Options;
  #loop: Promise<void> | null = null;
  #isStopping = false;
  #wasNudged = false;
  #wake: (() => void) | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  start(): void {
    this.#isStopping = false;
    this.#loop ??= this.#run();
  }

  nudge(): void {
    this.#wasNudged = true;
    this.#wake?.();
  }

  /** Resolves when the round in progress has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.nudge();
    await this.#loop;
    this.#loop = null;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#wasNudged = false;
      const hasMore = await this.#tryWork();
      if (!hasMore) await this.#sleep();
    }
  }

  /** A database that is away for a while must not end the loop. */
  async #tryWork(): Promise<boolean> {
    try {
      return await this.#options.work();
    } catch (error) {
      this.#options.log.error(
        { error, loop: this.#options.name },
        'A background loop failed and tries again',
      );
      return false;
    }
  }

  async #sleep(): Promise<void> {
    if (this.#wasNudged) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.idleMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}
