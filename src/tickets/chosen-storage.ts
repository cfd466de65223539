import type { Hooks } from '../hooks/hooks.ts';
import { KnownError, UnavailableError } from '../shared/errors.ts';
import { attachmentStores } from './desk-contributions.ts';
import type { AttachmentStorage } from './attachment-storage.ts';

interface Deps {
  hooks: Pick<Hooks, 'gather'>;
  /** What keeps files unless somebody has chosen another place. */
  disk: AttachmentStorage;
  /** The plugin that keeps new files; empty for the disk. */
  chosen: () => Promise<string>;
}

/** A key with a colon is that of the plugin before it; no name on disk has one. */
const BETWEEN = ':';
/** As the column is. */
const LONGEST_KEY = 64;

/** New files go where the settings say; each is read from where it was put, whatever they say by then. */
export function chosenStorage({ hooks, disk, chosen }: Deps): AttachmentStorage {
  const storeOf = async (plugin: string): Promise<AttachmentStorage> => {
    if (plugin === '') return disk;
    const stores = await hooks.gather(attachmentStores, {});
    const store = stores.find(({ owner }) => owner === plugin)?.thing;
    if (!store) throw new UnavailableError('attachment.store-away', { params: { plugin } });
    return blaming(store, plugin);
  };
  const placeOf = (key: string): { plugin: string; own: string } => {
    const at = key.indexOf(BETWEEN);
    return { plugin: key.slice(0, Math.max(at, 0)), own: key.slice(at + 1) };
  };
  return {
    keep: async (path) => {
      const plugin = await chosen();
      const own = await (await storeOf(plugin)).keep(path);
      const key = plugin === '' ? own : `${plugin}${BETWEEN}${own}`;
      if (key.length > LONGEST_KEY) throw new Error(`The key ${key} is longer than ${String(LONGEST_KEY)}`);
      return key;
    },
    read: async (key) => {
      const { plugin, own } = placeOf(key);
      return (await storeOf(plugin)).read(own);
    },
    remove: async (key) => {
      const { plugin, own } = placeOf(key);
      await (await storeOf(plugin)).remove(own);
    },
  };
}

/** A place that fails says whose it is. */
function blaming(store: AttachmentStorage, plugin: string): AttachmentStorage {
  const named = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      if (cause instanceof KnownError) throw cause;
      throw new UnavailableError('attachment.store-failed', { params: { plugin }, cause });
    }
  };
  return {
    keep: (path) => named(store.keep(path)),
    read: (key) => named(store.read(key)),
    remove: (key) => named(store.remove(key)),
  };
}
