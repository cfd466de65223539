import { digestNameOf } from './digest.ts';

const KEPT_MS = 1_000;
const MOST_KEPT = 10_000;

/** Digests of what comes again and again in the same second, each made once. What they are of is forgotten with that second. */
export class MomentaryDigests {
  readonly #known = new Map<string, string>();

  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const digest = digestNameOf(text);
    if (this.#known.size < MOST_KEPT) this.#keep(text, digest);
    return digest;
  }

  #keep(text: string, digest: string): void {
    if (this.#known.size === 0)
      setTimeout(() => {
        this.#known.clear();
      }, KEPT_MS).unref();
    this.#known.set(text, digest);
  }
}
