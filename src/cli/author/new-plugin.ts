import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PLUGIN_ID, prefixOf } from '../../plugin-host/index.ts';
import { ConflictError, InvalidInputError } from '../../shared/errors.ts';

interface Plan {
  id: string;
  /** The folder that the plugin's own is made in. */
  place: string;
  templates: string;
  /** Of Latchkey. */
  version: string;
}

/** A plugin that runs, has a test, and is there to be changed. Answers the files it wrote. */
export async function newPlugin({ id, place, templates, version }: Plan): Promise<string[]> {
  if (!PLUGIN_ID.test(id) || id.length > 22) throw new InvalidInputError('author.id', { params: { id } });
  const folder = join(place, id);
  const there = await readdir(folder).catch(() => []);
  if (there.length > 0) throw new ConflictError('author.folder-taken', { params: { folder } });

  const words = {
    __id__: id,
    __prefix__: prefixOf({ id }),
    __name__: nameOf(id),
    __version__: version,
  };
  const written: string[] = [];
  for (const file of await templatesIn(templates)) {
    const target = join(folder, relative(templates, file).replace(/\.tpl$/, ''));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, filledIn(await readFile(file, 'utf8'), words), { flag: 'wx' });
    written.push(target);
  }
  return written;
}

async function templatesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.tpl'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const nameOf = (id: string): string => {
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const filledIn = (text: string, words: Record<string, string>): string =>
  Object.entries(words).reduce((filled, [word, value]) => filled.replaceAll(word, value), text);
