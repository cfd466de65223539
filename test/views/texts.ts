import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
export const read = (file: string): string => readFileSync(join(root, file), 'utf8');
export const templateFiles = (): string[] =>
  globSync(['views/**/*.hbs', 'plugins/*/views/**/*.hbs'], { cwd: root }).sort();
export const sourceFiles = (): string[] =>
  globSync(['src/**/*.ts', 'plugins/*/src/**/*.ts'], { cwd: root })
    // Its examples are about a plugin that does not exist.
    .filter((file) => file !== 'src/plugin-api.ts')
    .sort();

type Texts = Record<string, string>;

export interface Namespace {
  name: string;
  en: Texts;
  fr: Texts;
}

const textsIn = (file: string): Texts =>
  existsSync(join(root, file)) ? (JSON.parse(read(file)) as Texts) : {};

/** A plugin keeps them in one file, or in parts. */
const textsOf = (plugin: string, language: string): Texts =>
  Object.assign(
    textsIn(`plugins/${plugin}/locales/${language}.json`),
    ...globSync(`plugins/${plugin}/locales/${language}/*.json`, { cwd: root }).map(textsIn),
  ) as Texts;

/** All words there are: core's domains and every plugin's. */
export function namespaces(): Namespace[] {
  const core = globSync('locales/*/*.json', { cwd: root }).map((file) => basename(file, '.json'));
  const plugins = globSync('plugins/*/locales/*', { cwd: root }).map((file) => file.split('/')[1] ?? '');
  return [
    ...[...new Set(core)].map((name) => ({
      name,
      en: textsIn(`locales/en/${name}.json`),
      fr: textsIn(`locales/fr/${name}.json`),
    })),
    ...[...new Set(plugins)].map((name) => ({
      name,
      en: textsOf(name, 'en'),
      fr: textsOf(name, 'fr'),
    })),
  ];
}

/** Every key of a language with its namespace before it, plurals by their bare name as well. */
export function keysOf(language: 'en' | 'fr'): Set<string> {
  const keys = namespaces().flatMap((namespace) =>
    Object.keys(namespace[language]).flatMap((key) => {
      const bare = key.replace(/_(zero|one|many|other)$/, '');
      return [key, bare, `${namespace.name}:${key}`, `${namespace.name}:${bare}`];
    }),
  );
  return new Set(keys);
}

export const placeholdersIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{\{\s*([\w.]+)[^}]*\}\}/g)].map((match) => match[1] ?? ''))].sort();
