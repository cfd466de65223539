import type { Manifest } from '../../../plugin-host/index.ts';
import { at, isCode, lineAt, lineOf, textOf, type Problem, type Source, type Subject } from './subject.ts';

interface Words {
  path: string;
  keys: Map<string, number | null>;
}

export function wordProblems(subject: Subject): Problem[] {
  const { manifest, sources } = subject;
  const broken = brokenWords(subject);
  if (broken.length > 0) return broken;
  const [english, french] = (['en', 'fr'] as const).map((language) => wordsIn(sources, manifest, language));
  if (!english || !french) return [];
  const has = (key: string): boolean => [key, `${key}_other`].some((one) => english.keys.has(one));
  const missing = (from: Words, to: Words): Problem[] =>
    [...from.keys]
      .filter(([key]) => !to.keys.has(key))
      .map(([key, line]) => at(from.path, line, `"${key}" is missing in ${to.path}.`));
  const needed = [...neededWords(manifest, sources)].filter(({ key }) => !has(key));
  return [
    ...missing(english, french),
    ...missing(french, english),
    ...needed.map(({ key, path, line }) => at(path, line, `${english.path} has no text "${key}".`)),
  ];
}

function wordsIn(sources: readonly Source[], { locales }: Manifest, language: string): Words {
  const own = sources.filter(
    ({ path }) => path === `${locales}/${language}.json` || path.startsWith(`${locales}/${language}/`),
  );
  const keys = own.flatMap(({ text }) =>
    keysIn(text).map(
      (key) => [key, lineOf(text, `${JSON.stringify(key)}:`) ?? lineOf(text, JSON.stringify(key))] as const,
    ),
  );
  return { path: own[0]?.path ?? `${locales}/${language}.json`, keys: new Map(keys) };
}

/** None where it cannot be read, which is said by itself. */
function keysIn(text: string): string[] {
  try {
    return Object.keys(JSON.parse(text) as object);
  } catch {
    return [];
  }
}

/** Files of words that are no JSON. */
function brokenWords({ manifest: { locales }, sources }: Subject): Problem[] {
  return sources
    .filter(({ path }) => path.startsWith(`${locales}/`) && path.endsWith('.json'))
    .flatMap(({ path, text }) => {
      try {
        JSON.parse(text);
        return [];
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return [at(path, Number(/\(line (\d+)/.exec(message)?.[1] ?? 0) || null, message)];
      }
    });
}

interface Needed {
  key: string;
  path: string;
  line: number | null;
}

/** Texts that the manifest, the templates and the refusals speak of. */
function* neededWords(manifest: Manifest, sources: readonly Source[]): Generator<Needed> {
  const { id, name, description, rights, settings, menus } = manifest;
  const text = textOf(sources, 'plugin.json');
  const keys = [
    ...[name, description].filter((words) => words.startsWith('t:')).map((words) => words.slice(2)),
    ...rights.map((right) => `rights.${right.id}`),
    ...settings.map((setting) => setting.label ?? `settings.${setting.name}`),
    ...settings.map((setting) => setting.hint).filter((hint) => hint !== undefined),
    ...menus.map(({ label }) => label),
  ];
  for (const key of keys)
    yield { key, path: 'plugin.json', line: lineOf(text, `"${key.split('.').slice(1).join('.') || key}"`) };
  for (const source of sources.filter(({ path }) => path.endsWith('.hbs')))
    for (const match of source.text.matchAll(/[({]t "([a-z0-9-]+):([^"]+)"/g))
      if (match[1] === id)
        yield { key: match[2] ?? '', path: source.path, line: lineAt(source.text, match.index) };
  for (const source of sources.filter(isCode))
    for (const match of source.text.matchAll(/\bcode:\s*'([a-z0-9-]+):([A-Za-z0-9.-]+)'/g))
      if (match[1] === id)
        yield { key: match[2] ?? '', path: source.path, line: lineAt(source.text, match.index) };
  for (const source of sources.filter(isCode))
    for (const match of source.text.matchAll(/(?:Error\(|\bcode:)\s*'([a-z0-9-]+)\.([A-Za-z0-9.-]+)'/g))
      if (match[1] === id)
        yield {
          key: `errors.${id}.${match[2] ?? ''}`,
          path: source.path,
          line: lineAt(source.text, match.index),
        };
}
