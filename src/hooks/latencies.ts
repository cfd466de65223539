/** Four to the octave, from a hundredth of a millisecond on: enough to tell twice as slow from as quick. */
const STEPS_PER_OCTAVE = 4;
const SMALLEST_MS = 0.01;
const STEPS = 96;

/** How often something took how long. Small and of one size, so that each listener and route can have its own. */
export class Latencies {
  readonly #counts: Uint32Array;

  constructor(counts = new Uint32Array(STEPS)) {
    this.#counts = counts;
  }

  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  add(tookMs: number): void {
    const step = tookMs <= SMALLEST_MS ? 0 : Math.ceil(Math.log2(tookMs / SMALLEST_MS) * STEPS_PER_OCTAVE);
    const at = Math.min(step, STEPS - 1);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** What has come since an earlier copy of it; all, without one. */
  since(earlier = new Latencies()): Latencies {
    return new Latencies(this.#counts.map((count, at) => Math.max(0, count - (earlier.#counts[at] ?? 0))));
  }

  /** What this share of them was not slower than, in milliseconds. */
  quantile(share: number): number {
    let left = this.total * share;
    const at = this.#counts.findIndex((count) => (left -= count) <= 0);
    return SMALLEST_MS * 2 ** (Math.max(at, 0) / STEPS_PER_OCTAVE);
  }
}
