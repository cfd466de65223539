import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const NAME = 'latchkey-dev-';
const COPY_ATTEMPTS = 5;
const SAVING_MS = 25;

export const isWatched = (path: string): boolean => !/(^|\/)(\.|node_modules|test\/)/.test(path);

/**
 * Node keeps every module it has read, and where a link led when it first followed it: each generation is a folder of its own under
 * one name, and what is imported by that name is read from the newest that was put to use.
 */
export class Copies {
  readonly #from: { folder: string; id: string; place: string };
  #last = 0;
  #inUse = 0;

  private constructor(from: { folder: string; id: string; place: string }) {
    this.#from = from;
    const name = `${pathToFileURL(this.current).href}/`;
    registerHooks({
      resolve: (specifier, context, nextResolve) =>
        specifier.startsWith(name)
          ? { url: `${this.#newest}${specifier.slice(name.length)}`, shortCircuit: true }
          : nextResolve(specifier, context),
    });
  }

  static async of(folder: string, id: string): Promise<Copies> {
    await sweep();
    const place = await mkdtemp(join(tmpdir(), `${NAME}${String(process.pid)}-`));
    return new Copies({ folder, id, place });
  }

  get #newest(): string {
    return `${pathToFileURL(this.#folderOf(this.#inUse)).href}/`;
  }

  get pluginDir(): string {
    return join(this.#from.place, 'plugins');
  }

  get current(): string {
    return join(this.pluginDir, this.#from.id);
  }

  /** What is saved now, aside. Until the answer is called nobody sees it: let nothing of the plugin run by then. */
  async take(): Promise<() => Promise<void>> {
    this.#last += 1;
    const generation = this.#last;
    await this.#copyTo(this.#folderOf(generation));
    return async () => {
      const { place } = this.#from;
      await mkdir(this.pluginDir, { recursive: true });
      const next = join(place, 'next');
      await symlink(this.#folderOf(generation), next, 'dir');
      await rename(next, this.current);
      this.#inUse = generation;
    };
  }

  remove(): Promise<void> {
    return rm(this.#from.place, { recursive: true, force: true });
  }

  #folderOf(generation: number): string {
    return join(this.#from.place, String(generation), this.#from.id);
  }

  /** Again where a file went meanwhile: editors write beside what they save, and clear it away. */
  async #copyTo(copy: string): Promise<void> {
    const { folder } = this.#from;
    const filter = (path: string): boolean => path === folder || isWatched(path.slice(folder.length + 1));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await cp(folder, copy, { recursive: true, filter });
        return;
      } catch (error) {
        if (attempt === COPY_ATTEMPTS) throw error;
        await rm(copy, { recursive: true, force: true });
        await sleep(SAVING_MS);
      }
    }
  }
}

/** What a process that was killed left behind. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${NAME}(\\d+)-`).exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
