import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { authorCommands } from './cli/author/author-commands.ts';
import type { Surface } from './cli/author/check-plugin.ts';
import type { Command } from './cli/command.ts';
import Handlebars from 'handlebars';
import { I18n, registerHelpers } from './views/index.ts';
import { folders, version } from './compose-ground.ts';
import { processEnvironment } from './config.ts';
import { coreHooks } from './core-hooks.ts';

/** Commands for those who write plugins: they need no house. */
export const authorTools = ({ onProblem }: { onProblem: () => void }): Command[] =>
  authorCommands({
    templates: folders.templates,
    surface,
    develop: async (wanted) => {
      const { superviseDevelopment } = await import('./dev-supervisor.ts');
      process.exit(await superviseDevelopment({ ...wanted, env: processEnvironment() }));
    },
    onProblem,
  });

export async function surface(): Promise<Surface> {
  const [ours = [], ofPlugins = []] = await Promise.all([folders.views, folders.plugins].map(templatesBelow));
  const [api, icons] = await Promise.all([
    import('./plugin-api.ts'),
    readFile(join(folders.public, 'icons.svg'), 'utf8'),
  ]);
  const handlebars = Handlebars.create();
  registerHelpers(handlebars, {
    i18n: new I18n({ directory: folders.locales }),
    assets: { url: () => '' },
    now: () => 0,
  });
  const slots = [...ours, ...ofPlugins].flatMap(({ text }) =>
    [...text.matchAll(/\{\{slot "([^"]+)"/g)].map((match) => match[1] ?? ''),
  );
  return {
    version,
    hooks: new Set(Object.values(coreHooks).map(({ name }) => name)),
    slots: new Set(slots),
    api: new Set(Object.keys(api)),
    helpers: new Set(Object.keys(handlebars.helpers)),
    icons: new Set([...icons.matchAll(/<symbol id="([^"]+)"/g)].map((match) => match[1] ?? '')),
    templates: new Map(ours.map(({ name, text }) => [name, createHash('sha256').update(text).digest('hex')])),
  };
}

async function templatesBelow(folder: string): Promise<{ name: string; text: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.hbs'));
  return Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(folder, path).slice(0, -'.hbs'.length).split(sep).join('/');
      return { name, text: await readFile(path, 'utf8') };
    }),
  );
}
