import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Undo } from '../hooks/tokens.ts';

interface Version {
  owner: string;
  source: string;
}

/** Nobody but us draws the pages by which one gets in or puts a plugin out, nor what they are made of. */
const PROTECTED = [
  /^(identity|setup|plugins|admin\/plugins|errors)\//,
  /^layouts\//,
  /^partials\/(head|brand|flash|field|error-summary)$/,
];

/** Template sources by name. The last who overrode one is heard; undone, the one before is. */
export class TemplateStore {
  readonly #directory: string;
  readonly #versions = new Map<string, Version[]>();
  #stamp = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.load();
  }

  load(): void {
    for (const name of templatesIn(this.#directory)) this.#read(name);
    this.#stamp = newestIn(this.#directory);
  }

  /** In development: reads again what changed. Answers the names that did. */
  refresh(): string[] {
    const since = this.#stamp;
    if (newestIn(this.#directory) <= since) return [];
    this.load();
    return this.names();
  }

  names(): string[] {
    return [...this.#versions.keys()];
  }

  source(name: string): string | undefined {
    return this.#versions.get(name)?.at(-1)?.source;
  }

  add(name: string, owner: string, source: string): Undo {
    if (owner !== 'core' && PROTECTED.some((pattern) => pattern.test(name)))
      throw new Error(`The template ${name} cannot be overridden.`);
    const version = { owner, source };
    const versions = [...(this.#versions.get(name) ?? []), version];
    this.#versions.set(name, versions);
    return () => {
      this.#remove(name, version);
    };
  }

  #read(name: string): void {
    const source = readFileSync(join(this.#directory, `${name}.hbs`), 'utf8');
    const [ours, ...overrides] = this.#versions.get(name) ?? [];
    if (ours?.owner === 'core') ours.source = source;
    else this.#versions.set(name, [{ owner: 'core', source }, ...(ours ? [ours] : []), ...overrides]);
  }

  #remove(name: string, version: Version): void {
    const left = (this.#versions.get(name) ?? []).filter((other) => other !== version);
    if (left.length > 0) this.#versions.set(name, left);
    else this.#versions.delete(name);
  }
}

/** `tickets/list` for `tickets/list.hbs`, whatever the system's separator. */
export function templatesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.hbs'))
    .map((file) => file.slice(0, -'.hbs'.length).replaceAll('\\', '/'));
}

const newestIn = (directory: string): number =>
  Math.max(0, ...templatesIn(directory).map((name) => statSync(join(directory, `${name}.hbs`)).mtimeMs));
