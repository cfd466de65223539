import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
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
  readonly #versions = new Map<string, Version[]>();

  constructor(directory: string) {
    for (const name of templatesIn(directory)) this.#versions.set(name, [coreVersion(directory, name)]);
  }

  names(): string[] {
    return [...this.#versions.keys()];
  }

  source(name: string): string | undefined {
    return this.#versions.get(name)?.at(-1)?.source;
  }

  owner(name: string): string {
    return this.#versions.get(name)?.at(-1)?.owner ?? 'core';
  }

  /** SHA-256 of what we draw ourselves; null for a name that is not ours. */
  fingerprint(name: string): string | null {
    const ours = this.#versions.get(name)?.find(({ owner }) => owner === 'core');
    return ours ? createHash('sha256').update(ours.source).digest('hex') : null;
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

const coreVersion = (directory: string, name: string): Version => ({
  owner: 'core',
  source: readFileSync(join(directory, `${name}.hbs`), 'utf8'),
});
