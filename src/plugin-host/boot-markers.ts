import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const crash = z.object({
  count: z.int(),
  at: z.int(),
  why: z.string().default(''),
  /** Forgotten once it comes up; what happens later is not. */
  isAtStart: z.boolean().default(true),
});
const markers = z.object({
  /** The plugin whose code was being started, `id@version`. */
  booting: z.string().nullable(),
  crashes: z.record(z.string(), crash),
  /** The server has started and not yet run for a while. */
  isStarting: z.boolean(),
  failedStarts: z.int(),
  /** What this process was called. */
  node: z.string().nullable().default(null),
  /** People know that it came up without plugins; forgotten once it comes up with them. */
  toldOfSafeMode: z.boolean().default(false),
});
type Markers = z.output<typeof markers>;
export type Crash = z.output<typeof crash>;

const NONE: Markers = {
  booting: null,
  crashes: {},
  isStarting: false,
  failedStarts: 0,
  node: null,
  toldOfSafeMode: false,
};
const lastWords = z.object({
  plugin: z.string(),
  why: z.enum(['loop', 'memory', 'uncaught']),
  place: z.string(),
});

/** Crashes of one plugin within an hour until it is left out, and starts in vain until all are (ruling 16). */
const CRASHES_TO_QUARANTINE = 3;
const FORGOTTEN_MS = 3_600_000;
const STARTS_TO_SAFE_MODE = 6;

/**
 * Remembers, on disk and therefore over a crash, what was being started. A plugin that ends the process or stands still can
 * not be caught by code beside it; the next start reads here who it was.
 */
export class BootMarkers {
  readonly #file: string;
  readonly #now: () => number;
  #markers: Markers;
  #lastCrash: { plugin: string; why: string } | null = null;

  constructor(file: string, now: () => number) {
    this.#file = file;
    this.#now = now;
    this.#markers = read(file, markers) ?? NONE;
  }

  /** Where the watchdog leaves the name of the plugin for which it ends the process. */
  get lastWordsFile(): string {
    return `${this.#file}.last-words`;
  }

  /** What the run before ended with, if that was a plugin's doing. */
  get lastCrash(): { plugin: string; why: string } | null {
    return this.#lastCrash;
  }

  /** This process ends for the sake of this plugin. */
  accuse(plugin: string, place: string): void {
    const words: z.input<typeof lastWords> = { plugin, why: 'uncaught', place };
    writeFileSync(this.lastWordsFile, JSON.stringify(words));
  }

  /** Counts what the last run left behind, and marks this one; answers what that one was called. */
  starting(node: string): string | null {
    const { booting, crashes, isStarting, failedStarts, node: before } = this.#markers;
    const words = read(this.lastWordsFile, lastWords);
    const culprit = words?.plugin ?? booting;
    const facts = {
      why: words === null ? WHY.start : `${WHY[words.why]}, at ${words.place}`,
      isAtStart: culprit === booting,
    };
    this.#lastCrash = culprit === null ? null : { plugin: culprit, why: facts.why };
    this.#write({
      ...this.#markers,
      booting: null,
      crashes: culprit === null ? crashes : { ...crashes, [culprit]: this.#oneMore(culprit, facts) },
      isStarting: true,
      failedStarts: isStarting ? failedStarts + 1 : 0,
      node,
    });
    rmSync(this.lastWordsFile, { force: true });
    return before === node ? null : before;
  }

  /** It has run for a while, or is stopping in order. */
  settled(): void {
    this.#write({ ...this.#markers, isStarting: false, failedStarts: 0 });
  }

  get wantsSafeMode(): boolean {
    return this.#markers.failedStarts >= STARTS_TO_SAFE_MODE;
  }

  get hasToldOfSafeMode(): boolean {
    return this.#markers.toldOfSafeMode;
  }

  toldOfSafeMode(isKnown: boolean): void {
    if (isKnown !== this.#markers.toldOfSafeMode) this.#write({ ...this.#markers, toldOfSafeMode: isKnown });
  }

  /** Who has ended this process within the hour, the latest first. */
  suspects(): { plugin: string; why: string }[] {
    return Object.entries(this.#markers.crashes)
      .filter(([, { at }]) => at > this.#now() - FORGOTTEN_MS)
      .sort(([, one], [, other]) => other.at - one.at)
      .map(([plugin, { why }]) => ({ plugin, why }));
  }

  /** What it has done to this process of late, unless somebody has asked for it again after that. */
  crashOf(plugin: string, { askedForAt }: { askedForAt: number }): Crash | null {
    const crash = this.#markers.crashes[plugin];
    const isPast = crash === undefined || askedForAt > crash.at;
    return isPast ? null : crash;
  }

  /** Left out since it crashed three times. */
  isQuarantined(plugin: string, asked: { askedForAt: number }): boolean {
    return (this.crashOf(plugin, asked)?.count ?? 0) >= CRASHES_TO_QUARANTINE;
  }

  /** Written before the first line of the plugin runs. */
  booting(plugin: string): void {
    this.#write({ ...this.#markers, booting: plugin });
  }

  booted(plugin: string, { well }: { well: boolean }): void {
    const { [plugin]: own, ...others } = this.#markers.crashes;
    const crashes = well && own?.isAtStart === true ? others : this.#markers.crashes;
    this.#write({ ...this.#markers, booting: null, crashes });
  }

  #oneMore(plugin: string, facts: Pick<Crash, 'why' | 'isAtStart'>): Crash {
    const before = this.#markers.crashes[plugin];
    const isRecent = before !== undefined && before.at > this.#now() - FORGOTTEN_MS;
    return { ...facts, count: (isRecent ? before.count : 0) + 1, at: this.#now() };
  }

  #write(next: Markers): void {
    this.#markers = next;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(next));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

const WHY = {
  start: 'The process ended while it was being started',
  loop: 'It gave nobody else a turn',
  memory: 'It took all memory',
  uncaught: 'It threw in the middle of the work of the server, which had to be started again',
};

/** A file that is not there or was torn says nothing. */
function read<T>(file: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
