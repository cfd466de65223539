import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PLUGIN_ID, prefixOf } from '../../plugin-host/index.ts';
import { ConflictError, InvalidInputError } from '../../shared/errors.ts';
import { linkLatchkey } from './link-latchkey.ts';

/** What `--template` takes; each runs, and its tests pass. */
export const pluginTemplates = ['full', 'minimal', 'ticket'] as const;
export type PluginTemplate = (typeof pluginTemplates)[number];

interface Plan {
  id: string;
  template: PluginTemplate;
  /** The folder that the plugin's own is made in. */
  place: string;
  templates: string;
  /** Of Latchkey. */
  version: string;
}

/** A plugin that runs, has a test, and is there to be changed. Answers the files it wrote. */
export async function newPlugin({ id, template, place, templates, version }: Plan): Promise<string[]> {
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
  for (const from of ['common', template].map((name) => join(templates, name))) {
    for (const file of await templatesIn(from)) {
      const target = join(
        folder,
        relative(from, file)
          .replace(/\.tpl$/, '')
          .replace(/^gitignore$/, '.gitignore'),
      );
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, filledIn(await readFile(file, 'utf8'), words), { flag: 'wx' });
      written.push(target);
    }
  }
  await linkLatchkey(folder);
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
