import { lstat, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { InvalidInputError, NotFoundError } from '../shared/errors.ts';

/** What belongs to a plugin's work place and not to the plugin. */
const LEFT_OUT = new Set(['node_modules', 'test', 'tests', 'coverage', 'tsconfig.json']);
const isLeftOut = (name: string): boolean =>
  LEFT_OUT.has(name) || name.startsWith('.') || /\.(tgz|sig)$/.test(name);

/** Paths of the files that make up a plugin, with slashes, in one order everywhere; a link is refused by its name. */
export async function pluginFiles(folder: string): Promise<string[]> {
  const facts = await lstat(join(folder, 'plugin.json')).catch(() => null);
  if (!facts?.isFile()) throw new NotFoundError('author.no-plugin', { params: { folder } });
  return (await filesBelow(folder, folder)).sort();
}

async function filesBelow(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !isLeftOut(name))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return filesBelow(root, path);
        if (!entry.isFile())
          throw new InvalidInputError('author.not-a-file', { params: { file: relative(root, path) } });
        return [relative(root, path).split(sep).join('/')];
      }),
  );
  return found.flat();
}
