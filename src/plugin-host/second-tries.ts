import { isPassingTrouble } from '../db/passing-trouble.ts';
import { UnavailableError } from '../shared/errors.ts';
import { ActivationError } from './activation.ts';
import { TooLateError } from './in-time.ts';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** What was too slow may have been so because the machine had other things to do; what hangs is so every time. */
const SLOW_STARTS_TO_GIVE_UP = 3;

/**
 * What failed is not tried again until somebody asks for it, unless waiting may help: when the database was away or the machine was too
 * busy. Then it is tried soon, and ever more seldom.
 */
export class SecondTries {
  readonly #again: () => Promise<void>;
  /** The time of the wish each has failed for. */
  readonly #failedFor = new Map<string, number>();
  readonly #slowStarts = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #inVain = 0;
  #isOver = false;

  constructor(again: () => Promise<void>) {
    this.#again = again;
  }

  isGivenUp(id: string, { askedForAt }: { askedForAt: number }): boolean {
    return this.#failedFor.get(id) === askedForAt;
  }

  giveUp(id: string, { askedForAt }: { askedForAt: number }): void {
    this.#failedFor.set(id, askedForAt);
  }

  /** It runs, or somebody asks for it once more. */
  beginAnew(id: string): void {
    this.#failedFor.delete(id);
    this.#slowStarts.delete(id);
  }

  failed(id: string, error: unknown, asked: { askedForAt: number }): void {
    const cause = error instanceof ActivationError ? error.cause : error;
    if (mayPass(cause) || (cause instanceof TooLateError && this.#mayBeSlow(id))) this.soon();
    else this.giveUp(id, asked);
  }

  soon(): void {
    if (this.#isOver || this.#timer !== null) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#inVain);
    this.#inVain += 1;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#again().catch(() => undefined);
    }, pause).unref();
  }

  /** All that could be done was done. */
  wentWell(): void {
    if (this.#timer === null) this.#inVain = 0;
  }

  stop(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #mayBeSlow(id: string): boolean {
    const starts = (this.#slowStarts.get(id) ?? 0) + 1;
    this.#slowStarts.set(id, starts);
    return starts < SLOW_STARTS_TO_GIVE_UP;
  }
}

const mayPass = (error: unknown): boolean => isPassingTrouble(error) || error instanceof UnavailableError;
