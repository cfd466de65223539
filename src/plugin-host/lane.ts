/** Lets so many through at a time; the others wait for their turn, as long as not too many do. */
export class Lane {
  readonly #width: number;
  readonly #longest: number;
  #open = 0;
  readonly #queue: PromiseWithResolvers<unknown>[] = [];

  constructor({ width, longest }: { width: number; longest: number }) {
    this.#width = width;
    this.#longest = longest;
  }

  get isFull(): boolean {
    return this.#open >= this.#width && this.#queue.length >= this.#longest;
  }

  /** A turn that is not wanted any more when it comes is passed on. */
  async through<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#open >= this.#width) await this.#turn();
    else this.#open += 1;
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next.resolve(null);
      else this.#open -= 1;
    }
  }

  #turn(): Promise<unknown> {
    const turn = Promise.withResolvers<unknown>();
    this.#queue.push(turn);
    return turn.promise;
  }
}
