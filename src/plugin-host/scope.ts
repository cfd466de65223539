import { setTimeout as sleep } from 'node:timers/promises';
import { inTime } from './in-time.ts';

type Task = () => void | Promise<void>;

/** What does not end by itself may not keep the host from going on. */
const UNDO_MS = 2_000;

/** What a host says once its plugin has been disabled. */
export class DisposedError extends Error {
  constructor(plugin: string) {
    super(`The plugin ${plugin} has been disabled; what it was given does nothing any more`);
    this.name = 'DisposedError';
  }
}

/** What one activation of a plugin has registered. Undone whole, last thing first; what fails is told, and the rest goes on. */
export class Scope {
  readonly #plugin: string;
  readonly #onError: (error: unknown) => void;
  readonly #doors: Task[] = [];
  readonly #rest: Task[] = [];
  readonly #abort = new AbortController();
  #busy = 0;
  #isAlive = true;
  #disposing: Promise<void> | undefined;

  constructor(plugin: string, onError: (error: unknown) => void) {
    this.#plugin = plugin;
    this.#onError = onError;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  assertAlive(): void {
    if (!this.#isAlive) throw new DisposedError(this.#plugin);
  }

  undoWith(task: Task): void {
    this.assertAlive();
    this.#rest.push(task);
  }

  /** What lets new work in (routes, jobs): closed first, so that what is under way can end on its own. */
  closeWith(task: Task): void {
    this.assertAlive();
    this.#doors.push(task);
  }

  /** Counts `work` as under way until it settles. */
  async busyWith<T>(work: () => T | Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
    }
  }

  async dispose({ drainMs }: { drainMs: number }): Promise<void> {
    this.#disposing ??= this.#dispose(drainMs);
    await this.#disposing;
  }

  async #dispose(drainMs: number): Promise<void> {
    await this.#undo(this.#doors);
    await this.#drain(drainMs);
    this.#abort.abort(new DisposedError(this.#plugin));
    this.#isAlive = false;
    await this.#undo(this.#rest);
  }

  async #drain(milliseconds: number): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (this.#busy > 0 && Date.now() < deadline) await sleep(10);
  }

  async #undo(tasks: Task[]): Promise<void> {
    for (let task = tasks.pop(); task; task = tasks.pop()) {
      try {
        await inTime(task, UNDO_MS);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
