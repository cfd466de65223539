import type { Actor } from '../shared/actor.ts';
import type { Undo } from '../hooks/tokens.ts';

export interface MenuEntry {
  id: string;
  at: 'main' | 'admin' | 'account';
  /** An i18n key. */
  label: string;
  /** A Tabler icon's name. */
  icon: string;
  path: string;
  /** Shown to those who have it in at least one entity. */
  right?: string;
  order: number;
}

export interface MenuItem {
  id: string;
  label: string;
  icon: string;
  path: string;
  /** The page one is on lies here. */
  active: boolean;
}

export interface VisibleMenu {
  main: MenuItem[];
  admin: MenuItem[];
  account: MenuItem[];
}

/** Where one can go. Core and plugins add their entries; everybody sees what they may open. */
export class Menu {
  readonly #entries = new Map<string, MenuEntry>();

  add(entry: MenuEntry): Undo {
    if (this.#entries.has(entry.id)) throw new Error(`There is a menu entry ${entry.id} already.`);
    this.#entries.set(entry.id, entry);
    return () => {
      if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id);
    };
  }

  visibleTo(actor: Actor, path: string): VisibleMenu {
    const entries = [...this.#entries.values()]
      .filter(({ right }) => right === undefined || actor.can(right))
      .sort((one, other) => one.order - other.order || one.id.localeCompare(other.id));
    const current = deepest(entries, path);
    const at = (place: MenuEntry['at']): MenuItem[] =>
      entries
        .filter((entry) => entry.at === place)
        .map(({ id, label, icon, path: to }) => ({ id, label, icon, path: to, active: id === current }));
    return { main: at('main'), admin: at('admin'), account: at('account') };
  }
}

export const emptyMenu: VisibleMenu = { main: [], admin: [], account: [] };

/** Of all entries that `path` lies under, the one with the longest path: `/admin/users` before `/admin`. */
function deepest(entries: MenuEntry[], path: string): string | undefined {
  return entries
    .filter((entry) => path === entry.path || path.startsWith(entry.path === '/' ? '//' : `${entry.path}/`))
    .sort((one, other) => other.path.length - one.path.length)
    .at(0)?.id;
}
