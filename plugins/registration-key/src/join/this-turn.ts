/**
 * Reads that are the same within one turn of the event loop are made once. All requests handled in a turn had arrived before it began,
 * so what one of them reads is not older than any of them: nobody can see a state from before their own request.
 * (Test: "a phone that asks after the revocation was answered never sees the key alive".)
 */
export class ThisTurn<T> {
  readonly #read: (id: string) => Promise<T>;
  readonly #reads = new Map<string, Promise<T>>();

  constructor(read: (id: string) => Promise<T>) {
    this.#read = read;
  }

  find(id: string): Promise<T> {
    if (this.#reads.size === 0)
      setImmediate(() => {
        this.#reads.clear();
      });
    const known = this.#reads.get(id) ?? this.#read(id);
    this.#reads.set(id, known);
    return known;
  }
}
