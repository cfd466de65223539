import { join } from 'node:path';
import { InvalidInputError, packPlugin, readPluginsIn } from 'latchkey/plugin-api';

/** A plugin whose files lie on this server. */
interface Good {
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
  const found = (await Promise.all(PLACES.map(readPluginsIn))).flat();
  return found
    .map(({ manifest: { id, version, publisher }, words, folder }) => ({
      id,
      version,
      publisher,
      words,
      folder,
    }))
    .toSorted((one, other) => one.id.localeCompare(other.id));
}

/** The bytes are those that `latchkey plugin pack` would make. */
export async function packGood(id: string): Promise<Buffer> {
  const good = (await goodsHere()).find((one) => one.id === id);
  if (!good) throw new InvalidInputError('hub.not-here', { params: { plugin: id } });
  return (await packPlugin(good.folder)).bytes;
}
