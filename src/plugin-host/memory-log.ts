import { getHeapStatistics } from 'node:v8';
import type { Clock } from '../shared/clock.ts';

const MEGABYTE = 1024 * 1024;
const STRETCH_MS = 5 * 60_000;
/** A day of stretches. */
const MOST_STRETCHES = 288;

export interface Stretch {
  /** When it began. */
  at: number;
  /** The least that was in use within it: the rest is rubbish that was not collected yet. */
  megabytes: number;
}

export interface Growth {
  plugin: string;
  version: string;
  at: number;
  /** Before it came. */
  before: number;
  /** Lately. */
  now: number;
}

/**
 * What the heap of this process held, in stretches of five minutes, and since when each plugin runs. Which of them holds what cannot be
 * told in one process; what grew since one came is a hint.
 */
export class MemoryLog {
  readonly #clock: Clock;
  readonly #read: () => number;
  readonly #stretches: Stretch[] = [];
  readonly #since = new Map<string, Omit<Growth, 'now'>>();

  constructor(clock: Clock, read = (): number => getHeapStatistics().used_heap_size / MEGABYTE) {
    this.#clock = clock;
    this.#read = read;
  }

  take(): void {
    const [now, megabytes] = [this.#clock.now(), this.#read()];
    const last = this.#stretches.at(-1);
    if (last && now < last.at + STRETCH_MS) {
      last.megabytes = Math.min(last.megabytes, megabytes);
      return;
    }
    this.#stretches.push({ at: now, megabytes });
    if (this.#stretches.length > MOST_STRETCHES) this.#stretches.shift();
  }

  /** One that came with the process has no before to be compared with. */
  began({ id, version }: { id: string; version: string }): void {
    const before = this.#stretches.at(-1)?.megabytes;
    if (before === undefined) this.#since.delete(id);
    else this.#since.set(id, { plugin: id, version, at: this.#clock.now(), before });
  }

  ended(id: string): void {
    this.#since.delete(id);
  }

  stretches(): readonly Stretch[] {
    return this.#stretches;
  }

  /** Of those that came while the process ran, the latest first. */
  growths(): Growth[] {
    const now = this.#stretches.at(-1)?.megabytes ?? 0;
    return [...this.#since.values()].map((one) => ({ ...one, now })).sort((one, other) => other.at - one.at);
  }
}
