import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInputError, KnownError, packPlugin, readPlugin } from 'latchkey/plugin-api';

/** A plugin whose files lie on this server. */
export interface Good {
  id: string;
  version: string;
  publisher: string;
  words: Readonly<Record<string, { name: string }>>;
  folder: string;
}

/** What came with this Latchkey lies beside this plugin; what it has to sell to begin with, within it. */
const PLACES = [join(import.meta.dirname, '../..'), join(import.meta.dirname, '../premium')];

/** All that can be published from here without a package made elsewhere. */
export async function goodsHere(): Promise<Good[]> {
  const found = await Promise.all(PLACES.map(goodsIn));
  return found.flat().toSorted((one, other) => one.id.localeCompare(other.id));
}

/** The bytes are those that `latchkey plugin pack` would make. */
export async function packGood(id: string): Promise<Buffer> {
  const good = (await goodsHere()).find((one) => one.id === id);
  if (!good) throw new InvalidInputError('hub.not-here', { params: { plugin: id } });
  return (await packPlugin(good.folder)).bytes;
}

async function goodsIn(place: string): Promise<Good[]> {
  const entries = await readdir(place, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(place, name));
  const goods = await Promise.all(folders.map(goodAt));
  return goods.filter((good) => good !== null);
}

async function goodAt(folder: string): Promise<Good | null> {
  try {
    const { manifest, words } = await readPlugin(folder);
    const { id, version, publisher } = manifest;
    return { id, version, publisher, words, folder };
  } catch (error) {
    // Somebody's folder that is no plugin, or not yet one.
    if (error instanceof KnownError) return null;
    throw error;
  }
}
