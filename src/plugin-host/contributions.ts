import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '../views/index.ts';
import type { FoundPlugin } from './discovery.ts';
import type { Manifest } from './manifest.ts';
import { settingGroupOf } from './plugin-settings.ts';
import type { Registries } from './registries.ts';
import type { Scope } from './scope.ts';

/** All that a plugin brings without running: words, templates, files, rights, menu entries, settings. Answers the templates that it would draw and may not. */
export async function contribute(
  { id, folder, texts }: FoundPlugin,
  manifest: Manifest,
  { registries, scope }: { registries: Registries; scope: Scope },
): Promise<string[]> {
  const { i18n, renderer, assets, rights, menu, settingGroups } = registries;
  for (const [language, words] of texts) scope.register(() => i18n.addNamespace(id, language, words));
  const drifted = driftedOf(manifest, renderer);
  const drawn = manifest.overrides.filter(({ template }) => !drifted.includes(template));
  for (const [name, source] of await readTemplates(folder, manifest, drawn)) {
    scope.register(() => renderer.add(name, id, source));
  }
  const shown = join(folder, manifest.public);
  if (existsSync(shown)) {
    const collection = await collect(shown);
    scope.register(() => assets.add(id, collection));
  }
  for (const { id: right, group = id, suggest } of manifest.rights) {
    scope.register(() => rights.add({ id: right, group, suggest }));
  }
  for (const entry of manifest.menus) {
    const { right, ...rest } = entry;
    const label = entry.label.includes(':') ? entry.label : `${id}:${entry.label}`;
    scope.register(() =>
      menu.add({
        ...rest,
        id: `${id}.${entry.id ?? entry.path}`,
        label,
        ...(right === undefined ? {} : { right }),
      }),
    );
  }
  if (manifest.settings.length > 0) scope.register(() => settingGroups.add(settingGroupOf(manifest)));
  return drifted;
}

/** Ours have changed since it was made from them: what is new in them would be lost. */
const driftedOf = ({ overrides }: Manifest, renderer: Registries['renderer']): string[] =>
  overrides
    .filter(({ template, replaces }) => {
      const ours = renderer.fingerprint(template);
      return replaces !== undefined && ours !== null && ours !== replaces;
    })
    .map(({ template }) => template);

async function readTemplates(
  folder: string,
  { id, views, overrides }: Manifest,
  drawn: Manifest['overrides'],
): Promise<[string, string][]> {
  const overriding = new Set(overrides.map(({ file }) => file.replace(/^\.\//, '')));
  const own = (await namesIn(join(folder, views)))
    .filter((file) => file.endsWith('.hbs') && !overriding.has(`${views}/${file}`))
    .map((file) => ({ template: `${id}/${file.slice(0, -'.hbs'.length)}`, file: `${views}/${file}` }));
  return Promise.all(
    [...own, ...drawn].map(async ({ template, file }): Promise<[string, string]> => [
      template,
      await readFile(join(folder, file), 'utf8'),
    ]),
  );
}

async function namesIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder, { recursive: true });
  return names.map((name) => name.replaceAll('\\', '/')).sort();
}
