import { watch, type FSWatcher } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

interface Wanted {
  /** Whether a path below the folder is of interest. */
  isWatched: (path: string) => boolean;
  heard: () => void;
}

/**
 * Hears of everything that is saved below a folder. It looks at folders and not at files: an editor that writes a file aside and puts
 * it in the place of the old one leaves whoever looks at the old one with nothing to see.
 */
export async function watchBelow(root: string, { isWatched, heard }: Wanted): Promise<{ close(): void }> {
  const watchers = new Map<string, FSWatcher>();
  let isOpen = true;

  const forget = (folder: string): void => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      watchers.delete(path);
    }
  };
  const follow = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
    if (entries === null || !isOpen || watchers.has(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (name !== null) onChange(join(folder, name));
      });
      watcher.on('error', () => {
        forget(folder);
      });
      watchers.set(folder, watcher);
    } catch {
      return; // It went while it was looked at; whoever holds it hears of that.
    }
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
    await Promise.all(folders.filter((path) => isWatched(relative(root, path))).map(follow));
  };
  const onChange = (path: string): void => {
    if (!isOpen || !isWatched(relative(root, path))) return;
    heard();
    // A folder that is new, or another one in its place.
    forget(path);
    void follow(path).then(() => {
      if (watchers.has(path)) heard();
    });
  };

  await follow(root);
  return {
    close: () => {
      isOpen = false;
      forget(root);
    },
  };
}
