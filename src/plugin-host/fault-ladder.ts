const RESTS_WITHIN_MS = 10 * 60_000;
const RESTS_TO_TROUBLE = 3;
const TROUBLES_WITHIN_MS = 3_600_000;
const TROUBLES_TO_END = 2;

export type Rung = 'resting' | 'troubled' | 'ended';

/**
 * What becomes of a plugin that keeps failing: its listener rests; after three rests within ten minutes it is in trouble, and
 * people are told; the second time within an hour it is ended here. What it guards stays closed: it is not disabled.
 */
export class FaultLadder {
  readonly #now: () => number;
  readonly #rests = new Map<string, number[]>();
  readonly #troubles = new Map<string, number[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** One more rest of one of its listeners, and where it stands with that. */
  rested(plugin: string): Rung {
    const rests = this.#recent(this.#rests, plugin, RESTS_WITHIN_MS);
    if (rests.length < RESTS_TO_TROUBLE) return 'resting';
    this.#rests.delete(plugin);
    const troubles = this.#recent(this.#troubles, plugin, TROUBLES_WITHIN_MS);
    if (troubles.length < TROUBLES_TO_END) return 'troubled';
    this.#troubles.delete(plugin);
    return 'ended';
  }

  #recent(all: Map<string, number[]>, plugin: string, withinMs: number): number[] {
    const now = this.#now();
    const times = [...(all.get(plugin) ?? []).filter((at) => at > now - withinMs), now];
    all.set(plugin, times);
    return times;
  }
}
