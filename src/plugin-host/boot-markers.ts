import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const markers = z.object({
  /** The plugin whose code was being started, `id@version`. */
  booting: z.string().nullable(),
  crashes: z.record(z.string(), z.object({ count: z.int(), at: z.int() })),
  /** The server has started and not yet run for a while. */
  isStarting: z.boolean(),
  failedStarts: z.int(),
});
type Markers = z.output<typeof markers>;

const NONE: Markers = { booting: null, crashes: {}, isStarting: false, failedStarts: 0 };

/** Crashes while one plugin was started until it is left out, and starts in vain until all are (ruling 16). */
const CRASHES_TO_QUARANTINE = 3;
const STARTS_TO_SAFE_MODE = 6;

/**
 * Remembers, on disk and therefore over a crash, what was being started. A plugin that ends the process or stands still can
 * not be caught by code beside it; the next start reads here who it was.
 */
export class BootMarkers {
  readonly #file: string;
  readonly #now: () => number;
  #markers: Markers;

  constructor(file: string, now: () => number) {
    this.#file = file;
    this.#now = now;
    this.#markers = read(file);
  }

  /** Counts what the last run left behind, and marks this one. */
  starting(): void {
    const { booting, crashes, isStarting, failedStarts } = this.#markers;
    const counted = booting === null ? crashes : { ...crashes, [booting]: this.#oneMore(booting) };
    this.#write({
      booting: null,
      crashes: counted,
      isStarting: true,
      failedStarts: isStarting ? failedStarts + 1 : 0,
    });
  }

  /** It has run for a while, or is stopping in order. */
  settled(): void {
    this.#write({ ...this.#markers, isStarting: false, failedStarts: 0 });
  }

  get wantsSafeMode(): boolean {
    return this.#markers.failedStarts >= STARTS_TO_SAFE_MODE;
  }

  /** Left out since it crashed three times, unless somebody has asked for it again after that. */
  isQuarantined(plugin: string, { askedForAt }: { askedForAt: number }): boolean {
    const crashes = this.#markers.crashes[plugin];
    return crashes !== undefined && crashes.count >= CRASHES_TO_QUARANTINE && askedForAt <= crashes.at;
  }

  /** Written before the first line of the plugin runs. */
  booting(plugin: string): void {
    this.#write({ ...this.#markers, booting: plugin });
  }

  booted(plugin: string, { well }: { well: boolean }): void {
    const { [plugin]: own, ...others } = this.#markers.crashes;
    const crashes = well || own === undefined ? others : this.#markers.crashes;
    this.#write({ ...this.#markers, booting: null, crashes });
  }

  #oneMore(plugin: string): { count: number; at: number } {
    return { count: (this.#markers.crashes[plugin]?.count ?? 0) + 1, at: this.#now() };
  }

  #write(next: Markers): void {
    this.#markers = next;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(next));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** A file that is not there or was torn says nothing. */
function read(file: string): Markers {
  try {
    return markers.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return NONE;
  }
}
