import type { Undo } from '../hooks/tokens.ts';

/** Something a profile may allow. Its title is the text `rights.<id>`. */
export interface RightToken {
  /** The thing, then the verb: `ticket.read`. A plugin's begin with its id. */
  id: string;
  /** Under which heading the grid of a profile shows it: `rights.group.<group>`. */
  group: string;
  /** Keys of the built-in profiles that hold it. Super-Admin holds every right without being named. */
  suggest: readonly string[];
}

export const defineRight = (token: RightToken): RightToken => token;

/** All rights there are at this moment: core's, and those of the plugins that are on. */
export class Rights {
  readonly #tokens = new Map<string, RightToken>();
  #version = 0;

  add(token: RightToken): Undo {
    if (this.#tokens.has(token.id)) throw new Error(`The right ${token.id} is declared twice`);
    this.#tokens.set(token.id, token);
    this.#version += 1;
    return () => {
      this.#tokens.delete(token.id);
      this.#version += 1;
    };
  }

  /** Changes with every right that comes or goes, so that what was made from them can tell. */
  get version(): number {
    return this.#version;
  }

  has(id: string): boolean {
    return this.#tokens.has(id);
  }

  all(): RightToken[] {
    return [...this.#tokens.values()];
  }

  /** What a built-in profile holds. */
  suggestedFor(profileKey: string): string[] {
    return this.all()
      .filter(({ suggest }) => profileKey === SUPER_ADMIN || suggest.includes(profileKey))
      .map(({ id }) => id);
  }
}

export const SUPER_ADMIN = 'super-admin';

/** What only Super-Admin holds: every right there is or will be. Nobody can put it in a profile. */
export const EVERY_RIGHT = '*';
