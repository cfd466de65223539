import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';

/** Code whose place in a stack says whose it is. */
export interface Accused {
  /** `id@version`. */
  plugin: string;
  /** Ends in a slash. */
  folderUrl: string;
}

/** What is left on disk when a process had to be ended for a plugin's sake. */
export interface LastWords {
  plugin: string;
  why: 'loop' | 'memory';
  place: string;
}

interface Patience {
  /** CPU time without a turn of the event loop: a machine that is merely slow does not spend it. */
  busyMs: number;
  /** Wall time while a plugin is being started, for what waits without spending any; the boot marker knows who it was. */
  startingMs: number;
  /** Wall time at any other moment, when nobody can be named. */
  aloneMs: number;
}

export interface Watch {
  /** Turns of the event loop, plugins being started, and how full the heap is in per cent. */
  pulse: Int32Array;
  file: string;
  lookMs: number;
  patience: Patience;
  memory: { limitBytes: number; sampleFrom: number; shortAt: number };
}

const LOOK_MS = 250;
const PATIENCE: Patience = { busyMs: 5_000, startingMs: 60_000, aloneMs: 300_000 };
const MEMORY = { sampleFrom: 50, shortAt: 80 };
/** What the engine's limit counts for the young, of which the old, who stay, get nothing. */
const YOUNG_BYTES = 192 * 1024 * 1024;

/**
 * Names the plugin that keeps the event loop from turning or fills the memory, and ends the process: nothing on the loop itself
 * could. The supervisor starts it again, and the name on disk tells the next start which plugin it was.
 */
export class Watchdog {
  readonly #pulse = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  readonly #limitBytes = oldGenerationLimit();
  readonly #worker: Worker;
  readonly #isWatching: Promise<unknown>;
  readonly #heart: NodeJS.Timeout;

  constructor(file: string) {
    const memory = { ...MEMORY, limitBytes: this.#limitBytes };
    const watch: Watch = { pulse: this.#pulse, file, lookMs: LOOK_MS, patience: PATIENCE, memory };
    this.#worker = new Worker(new URL('watchdog-thread.ts', import.meta.url), { workerData: watch });
    this.#worker.unref();
    this.#isWatching = once(this.#worker, 'message');
    this.#heart = setInterval(() => {
      this.#beat();
    }, LOOK_MS).unref();
  }

  /** Who could be met in a stack. */
  know(plugins: readonly { name: string; folder: string }[]): void {
    const accused = plugins.map(({ name, folder }): Accused => ({
      plugin: name,
      folderUrl: pathToFileURL(`${folder}/`).href,
    }));
    this.#worker.postMessage(accused);
  }

  /** `work` starts plugins. */
  async whileStarting(work: () => Promise<void>): Promise<void> {
    await this.#isWatching;
    Atomics.add(this.#pulse, 1, 1);
    try {
      await work();
    } finally {
      Atomics.sub(this.#pulse, 1, 1);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart);
    await this.#worker.terminate();
  }

  #beat(): void {
    const share = getHeapStatistics().used_heap_size / this.#limitBytes;
    Atomics.store(this.#pulse, 2, Math.round(share * 100));
    Atomics.add(this.#pulse, 0, 1);
  }
}

function oldGenerationLimit(): number {
  const limit = getHeapStatistics().heap_size_limit;
  return Math.max(limit - YOUNG_BYTES, limit / 2);
}
