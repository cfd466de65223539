import { createHook, type AsyncHook } from 'node:async_hooks';
import { placeIn } from './author-log.ts';

/** Our own frames above those of whoever began a timer. */
const OF_NODE = /\bnode:|dev-timers/;
const ENOUGH_FRAMES = 20;

interface Running {
  timer: NodeJS.Timeout;
  place: string | null;
}

/**
 * The intervals that a plugin has begun and nobody has stopped. The host cannot see them, so they go on after a plugin was disabled, and in
 * development, where that happens at every save, there would soon be many. For one plugin, in its author's process: each timer costs a trace.
 */
export class DevTimers {
  readonly #plugin: string;
  readonly #running = new Map<number, Running>();
  readonly #hook: AsyncHook;

  constructor(plugin: string) {
    this.#plugin = plugin;
    this.#hook = createHook({
      init: (id, kind, _, timer) => {
        if (kind === 'Timeout') this.#note(id, timer as NodeJS.Timeout);
      },
      destroy: (id) => {
        this.#running.delete(id);
      },
    }).enable();
  }

  /** Stops those that still run, and answers where they were begun. */
  stopAll(): (string | null)[] {
    const left = [...this.#running.values()];
    this.#running.clear();
    for (const { timer } of left) clearInterval(timer);
    return left.map(({ place }) => place);
  }

  close(): void {
    this.#hook.disable();
  }

  #note(id: number, timer: NodeJS.Timeout): void {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = ENOUGH_FRAMES;
    const frames = (new Error().stack ?? '').split('\n').slice(1);
    Error.stackTraceLimit = limit;
    const isInterval = frames.some((frame) => frame.includes('at setInterval (node:'));
    const beginner = frames.find((frame) => !OF_NODE.test(frame)) ?? '';
    if (!isInterval || !beginner.includes('/latchkey-dev-')) return;
    this.#running.set(id, { timer, place: placeIn(beginner, this.#plugin) });
  }
}
