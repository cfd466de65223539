import { setTimeout as sleep } from 'node:timers/promises';
import type { Undo } from '../hooks/index.ts';
import { inTime } from './in-time.ts';

type Task = () => void | Promise<void>;

/** Something that the house gets from a plugin, and the way back while it has it. */
interface Registration {
  add: () => Undo;
  /** What lets new work in (routes, jobs): closed first, so that what is under way can end on its own. */
  isDoor: boolean;
  undo: Undo | null;
}

/** What does not end by itself may not keep the host from going on. */
const UNDO_MS = 2_000;

/** What a host says once its plugin has been disabled. */
export class DisposedError extends Error {
  readonly plugin: string;

  constructor(plugin: string) {
    super(`The plugin ${plugin} has been disabled; what it was given does nothing any more`);
    this.name = 'DisposedError';
    this.plugin = plugin;
  }
}

/**
 * What one activation of a plugin brings. Gathered while it is set up, and given to the house in one go, so that a new version takes the
 * place of an old one between two requests. Undone whole, last thing first; what fails is told, and the rest goes on.
 */
export class Scope {
  readonly #plugin: string;
  readonly #onError: (error: unknown) => void;
  readonly #registrations: Registration[] = [];
  /** What the plugin itself wants to put down, while everything it was given still works. */
  readonly #farewells: Task[] = [];
  /** How to undo all else, last thing first. */
  readonly #rest: Task[] = [];
  readonly #abort = new AbortController();
  #busy = 0;
  #isAlive = true;
  #isPublished = false;
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

  /** Runs after the signal: what hears it may still write down how far it came, and let go of what others wait for. */
  farewell(task: Task): void {
    this.assertAlive();
    this.#farewells.push(task);
  }

  /** Done when all of it is published; at once, if it is already. */
  register(add: () => Undo, { isDoor = false } = {}): void {
    this.assertAlive();
    const registration: Registration = { add, isDoor, undo: null };
    if (this.#isPublished) registration.undo = add();
    this.#registrations.push(registration);
    if (!isDoor) {
      this.#rest.push(() => {
        takeBack(registration);
      });
    }
  }

  /** All or nothing: what cannot be given takes back what was. */
  publish(): void {
    this.assertAlive();
    this.#isPublished = true;
    try {
      for (const registration of this.#registrations) registration.undo = registration.add();
    } catch (error) {
      this.withdraw();
      throw error;
    }
  }

  /** Nobody is led here any more; what is under way goes on, and `publish` brings it all back. */
  withdraw(): void {
    this.#isPublished = false;
    for (const registration of this.#registrations.toReversed()) takeBack(registration);
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
    await this.#undo(
      this.#registrations
        .filter(({ isDoor }) => isDoor)
        .map((door) => () => {
          takeBack(door);
        }),
    );
    await this.#drain(drainMs);
    this.#abort.abort(new DisposedError(this.#plugin));
    await this.#undo(this.#farewells);
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

function takeBack(registration: Registration): void {
  const { undo } = registration;
  registration.undo = null;
  undo?.();
}
