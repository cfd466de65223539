/**
 * Reads that are the same within one turn of the event loop are made once. All requests handled in a turn had arrived before it began,
 * so what one of them reads is not older than any of them: nobody can see a state from before their own request.
 * (Test: "a phone that asks after the revocation was answered never sees the key alive".)
 */
export class ThisTurn<T, What = undefined> {
  readonly #read: (id: string, what: What) => Promise<T>;
  readonly #reads = new Map<string, Promise<T>>();

  /** `what` goes with the id, for what it does not say by itself. */
  constructor(read: (id: string, what: What) => Promise<T>) {
    this.#read = read;
  }

  find(id: string, ...[what]: What extends undefined ? [] : [what: What]): Promise<T> {
    if (this.#reads.size === 0)
      setImmediate(() => {
        this.#reads.clear();
      });
    const known = this.#reads.get(id) ?? this.#read(id, what as What);
    this.#reads.set(id, known);
    return known;
  }
}
