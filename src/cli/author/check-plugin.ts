import { access, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, dirname, join, normalize, resolve } from 'node:path';
import Handlebars from 'handlebars';
import semver from 'semver';
import { parseManifest, prefixOf, ManifestError, type Manifest } from '../../plugin-host/index.ts';
import { pluginFiles } from './plugin-files.ts';

export interface Problem {
  file: string;
  line: number | null;
  message: string;
}

/** What there is to plug into, as this Latchkey has it. */
export interface Surface {
  version: string;
  hooks: ReadonlySet<string>;
  slots: ReadonlySet<string>;
  /** SHA-256 of each of our templates. */
  templates: ReadonlyMap<string, string>;
}

interface Source {
  path: string;
  text: string;
}

interface Subject {
  folder: string;
  manifest: Manifest;
  sources: Source[];
  surface: Surface;
}

const PLUGIN_API = 'latchkey/plugin-api';
const HOST_ONLY =
  /^(?:node:)?(?:fs|net|tls|dgram|http|https|http2|child_process|cluster|worker_threads|vm|module|process)(?:\/|$)/;

/** Everything that can be said against a plugin without running a line of it. */
export async function checkPlugin(folder: string, surface: Surface): Promise<Problem[]> {
  const files = await pluginFiles(folder);
  const sources = await Promise.all(
    files
      .filter((path) => /\.(ts|js|mjs|json|hbs)$/.test(path))
      .map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
  );
  const read = manifestIn(sources);
  if (!read.manifest) return read.problems;
  const subject = { folder, manifest: read.manifest, sources, surface };
  const found = [
    ...manifestProblems(subject),
    ...(await importProblems(subject)),
    ...hookProblems(subject),
    ...undeclaredProblems(subject),
    ...migrationProblems(subject),
    ...templateProblems(subject),
    ...wordProblems(subject),
  ];
  return found.sort(
    (one, other) => one.file.localeCompare(other.file) || (one.line ?? 0) - (other.line ?? 0),
  );
}

function manifestIn(sources: readonly Source[]): { manifest: Manifest | null; problems: Problem[] } {
  const text = sources.find(({ path }) => path === 'plugin.json')?.text ?? '';
  try {
    return { manifest: parseManifest(JSON.parse(text)), problems: [] };
  } catch (error) {
    if (!(error instanceof ManifestError)) {
      const message = error instanceof Error ? error.message : String(error);
      const line = Number(/\(line (\d+)/.exec(message)?.[1] ?? 0);
      return { manifest: null, problems: [at('plugin.json', line || null, message)] };
    }
    const problems = error.problems.map((problem) => at('plugin.json', lineOfField(text, problem), problem));
    return { manifest: null, problems };
  }
}

function manifestProblems({ folder, manifest, sources, surface }: Subject): Problem[] {
  const { id, engines, main } = manifest;
  const text = textOf(sources, 'plugin.json');
  const say = (word: string, message: string): Problem =>
    at('plugin.json', lineOf(text, `"${word}"`), message);
  return [
    ...(basename(resolve(folder)) === id
      ? []
      : [say('id', `Its folder must be called ${id}, as its id says; it is ${basename(resolve(folder))}.`)]),
    ...(semver.satisfies(surface.version, engines.latchkey)
      ? []
      : [
          say('latchkey', `This is Latchkey ${surface.version}, which ${engines.latchkey} does not include.`),
        ]),
    ...(sources.some(({ path }) => path === normalize(main))
      ? []
      : [say('main', `There is no file ${main}; "main" says it is where the plugin begins.`)]),
    ...manifest.slots
      .filter((slot) => !surface.slots.has(slot))
      .map((slot) => say(slot, `No page has a slot "${slot}".${guess(slot, surface.slots)}`)),
    ...manifest.overrides.flatMap((override) => {
      const problem = overrideProblem(override, surface);
      return problem === null ? [] : [say(override.template, problem)];
    }),
  ];
}

/** One that is drawn instead of ours says which of ours it was made from, so that what becomes new in ours is not lost. */
function overrideProblem(
  { template, replaces }: Manifest['overrides'][number],
  { templates }: Surface,
): string | null {
  const ours = templates.get(template);
  if (ours === undefined)
    return `There is no template "${template}" of ours.${guess(template, new Set(templates.keys()))}`;
  if (replaces === ours) return null;
  return replaces === undefined
    ? `Say which template it was made from: "replaces": "${ours}".`
    : `Our ${template} has changed since, and is shown instead of yours. Take over what is new, then say "replaces": "${ours}".`;
}

/** `from '…'`, `import('…')`, `import '…'`. */
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g;

async function importProblems({ folder, sources }: Subject): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { path, text } of sources.filter(
    (source) => isCode(source) && !source.path.startsWith('public/'),
  )) {
    for (const match of text.matchAll(IMPORT)) {
      const wanted = match[2] ?? '';
      const problem = await importProblem(folder, path, wanted);
      if (problem !== null) problems.push(at(path, lineAt(text, match.index), problem));
    }
  }
  return problems;
}

async function importProblem(folder: string, from: string, wanted: string): Promise<string | null> {
  if (wanted === PLUGIN_API) return null;
  if (wanted.startsWith('.')) {
    const target = normalize(join(dirname(from), wanted));
    if (target.startsWith('..')) return `"${wanted}" leads out of the plugin's folder.`;
    const isThere = await access(join(folder, target)).then(
      () => true,
      () => false,
    );
    if (isThere) return null;
    return `There is no file ${target}.${wanted.endsWith('.ts') ? '' : ' Imports end in ".ts".'}`;
  }
  if (HOST_ONLY.test(wanted)) return `"${wanted}": files, processes and sockets are the host's.`;
  if (wanted.startsWith('node:') || builtinModules.includes(wanted)) return null;
  return wanted.startsWith('latchkey')
    ? `A plugin imports "${PLUGIN_API}" of ours and nothing else; this is "${wanted}".`
    : `"${wanted}" is not there when the plugin is installed: copy what you need of it into the plugin.`;
}

function hookProblems({ manifest, sources, surface }: Subject): Problem[] {
  const text = textOf(sources, 'plugin.json');
  const { provides, uses } = manifest.hooks;
  const others = Object.keys({ ...manifest.dependencies.requires, ...manifest.dependencies.optional });
  const foreign = provides.filter((name) => !name.startsWith(`${manifest.id}.`));
  const unknown = uses.filter(
    (name) =>
      !surface.hooks.has(name) &&
      !provides.includes(name) &&
      !others.some((other) => name.startsWith(`${other}.`)),
  );
  return [
    ...foreign.map((name) =>
      at('plugin.json', lineOf(text, `"${name}"`), `The names of its hooks begin with "${manifest.id}.".`),
    ),
    ...unknown.map((name) =>
      at(
        'plugin.json',
        lineOf(text, `"${name}"`),
        `There is no hook "${name}".${guess(name, surface.hooks)} If another plugin has it, name that one under "dependencies".`,
      ),
    ),
  ];
}

/** What code names that must stand in the manifest: found by how it is usually written. */
const NAMED: readonly { list: 'jobs' | 'settings' | 'slots' | 'rights'; how: RegExp }[] = [
  { list: 'jobs', how: /\.job\(\s*'([\w-]+)'/g },
  { list: 'settings', how: /\bsettings\.get(?:<[^>]*>)?\(\s*'([\w-]+)'/g },
  { list: 'slots', how: /\.slot(?:<[^()]*>)?\(\s*'([\w.-]+)'/g },
  { list: 'rights', how: /\bright:\s*'([\w.-]+)'/g },
];

function undeclaredProblems({ manifest, sources }: Subject): Problem[] {
  const declared = {
    jobs: new Set(manifest.jobs.map(({ id }) => id)),
    settings: new Set(manifest.settings.map(({ name }) => name)),
    slots: new Set(manifest.slots),
    rights: new Set(manifest.rights.map(({ id }) => id)),
  };
  const code = sources.filter((source) => isCode(source) && !source.path.startsWith('public/'));
  const missing = code.flatMap(({ path, text }) =>
    NAMED.flatMap(({ list, how }) =>
      [...text.matchAll(how)]
        .map((match) => ({ name: match[1] ?? '', line: lineAt(text, match.index) }))
        .filter(({ name }) => !declared[list].has(name))
        .filter(({ name }) => list !== 'rights' || name.startsWith(`${manifest.id}.`))
        .map(({ name, line }) =>
          at(
            path,
            line,
            `"${name}" does not stand under "${list}" in plugin.json.${guess(name, declared[list])}`,
          ),
        ),
    ),
  );
  const text = textOf(sources, 'plugin.json');
  const idle = manifest.jobs
    .filter(({ id }) => !code.some((source) => source.text.includes(`'${id}'`)))
    .map(({ id }) =>
      at(
        'plugin.json',
        lineOf(text, `"${id}"`),
        `Nothing in the code runs the job "${id}": host.job('${id}', …).`,
      ),
    );
  return [...missing, ...idle];
}

const TABLE =
  /\b(?:create\s+table(?:\s+if\s+not\s+exists)?|alter\s+table|drop\s+table(?:\s+if\s+exists)?|create\s+(?:unique\s+|fulltext\s+)?index\s+(?:if\s+not\s+exists\s+)?\w+\s+on)\s+[`"]?(\w+)/gi;

function migrationProblems({ manifest, sources }: Subject): Problem[] {
  const prefix = prefixOf(manifest);
  const steps = sources.filter(
    ({ path }) => path.startsWith(`${manifest.migrations}/`) && path.endsWith('.ts'),
  );
  return steps.flatMap(({ path, text }) => {
    const name = basename(path, '.ts');
    const tables = [...text.matchAll(TABLE)].filter(([, table = '']) => !table.startsWith(prefix));
    return [
      ...(/^\d{4}-[a-z0-9-]+$/.test(name)
        ? []
        : [
            at(
              path,
              null,
              'Its name must be four digits and words, e.g. 0001-notes.ts, or it is passed over.',
            ),
          ]),
      ...(new RegExp(`name:\\s*['"]${name}['"]`).test(text)
        ? []
        : [at(path, lineOf(text, 'name:'), `It must export a migration with the name '${name}'.`)]),
      ...tables.map((match) =>
        at(path, lineAt(text, match.index), `The table ${match[1] ?? ''} must begin with ${prefix}`),
      ),
    ];
  });
}

function templateProblems({ manifest, sources, surface }: Subject): Problem[] {
  const templates = sources.filter(({ path }) => path.endsWith('.hbs'));
  const own = templates.map(({ path }) =>
    path.replace(`${manifest.views}/`, `${manifest.id}/`).slice(0, -'.hbs'.length),
  );
  const known = new Set([...surface.templates.keys(), ...own]);
  return templates.flatMap(({ path, text }) => [
    ...syntaxProblems(path, text),
    ...[...text.matchAll(/\{\{#?>\s*([a-z0-9-]+(?:\/[a-z0-9-]+)+)/g)]
      .filter(([, name = '']) => !known.has(name))
      .map(({ 1: name = '', index }) =>
        at(path, lineAt(text, index), `There is no template "${name}".${guess(name, known)}`),
      ),
    ...matches(text, /\{\{\{/g).map((line) =>
      at(path, line, '{{{ writes what it is given as it is: use {{.'),
    ),
    ...(path.startsWith(`${manifest.views}/mail/`)
      ? []
      : [
          ...matches(text, /<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=/gi).map((line) =>
            at(
              path,
              line,
              'Scripts in a page do not run: put them into public/ and name them with {{asset}}.',
            ),
          ),
          ...matches(text, /<style[\s>]|\sstyle=/gi).map((line) =>
            at(path, line, 'Styles in a page have no effect: put them into a file in public/.'),
          ),
        ]),
    ...matches(text, /<form[^>]*method="post"(?![\s\S]{0,600}\{\{csrf\}\})/gi).map((line) =>
      at(path, line, 'A form that posts needs {{csrf}}, or it is refused.'),
    ),
  ]);
}

function syntaxProblems(path: string, text: string): Problem[] {
  try {
    Handlebars.parse(text);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 0);
    return [at(path, line || null, message.split('\n').at(-1) ?? message)];
  }
}

interface Words {
  path: string;
  keys: Map<string, number | null>;
}

function wordProblems({ manifest, sources }: Subject): Problem[] {
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
    [...text.matchAll(/^\s*"((?:[^"\\]|\\.)+)"\s*:/gm)].map(
      (match) => [match[1] ?? '', lineAt(text, match.index + match[0].indexOf('"'))] as const,
    ),
  );
  return { path: own[0]?.path ?? `${locales}/${language}.json`, keys: new Map(keys) };
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
    for (const match of source.text.matchAll(/(?:Error\(|\bcode:)\s*'([a-z0-9-]+)\.([A-Za-z0-9.-]+)'/g))
      if (match[1] === id)
        yield {
          key: `errors.${id}.${match[2] ?? ''}`,
          path: source.path,
          line: lineAt(source.text, match.index),
        };
}

const at = (file: string, line: number | null, message: string): Problem => ({ file, line, message });
const isCode = ({ path }: Source): boolean => /\.(ts|js|mjs)$/.test(path);
const textOf = (sources: readonly Source[], path: string): string =>
  sources.find((source) => source.path === path)?.text ?? '';
const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;
const matches = (text: string, pattern: RegExp): number[] =>
  [...text.matchAll(pattern)].map(({ index }) => lineAt(text, index));

function lineOf(text: string, words: string): number | null {
  const index = text.indexOf(words);
  return index < 0 ? null : lineAt(text, index);
}

/** `settings.0.default: …` is looked for by the last name in it. */
function lineOfField(text: string, problem: string): number | null {
  const names = /^[\w.-]+(?=:)/.exec(problem)?.[0].split('.') ?? [];
  const name = names.findLast((part) => !/^\d+$/.test(part));
  return name === undefined ? null : lineOf(text, `"${name}"`);
}

/** The known name that shares most of its letters, for whoever mistyped. */
function guess(name: string, known: ReadonlySet<string>): string {
  const best = [...known]
    .map((one) => ({ one, distance: distanceOf(name, one) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.min(4, Math.ceil(name.length / 3))
    ? ` Did you mean "${best.one}"?`
    : '';
}

function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(one).entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of Array.from(other).entries())
      next.push(
        Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === otherLetter ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
