import { access } from 'node:fs/promises';
import { builtinModules, stripTypeScriptTypes } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { guess } from '../../../shared/guess.ts';
import { at, codeOf, isCode, lineAt, lineOf, textOf, type Problem, type Subject } from './subject.ts';

const PLUGIN_API = 'latchkey/plugin-api';
const HOST_ONLY =
  /^(?:node:)?(?:fs|net|tls|dgram|http|https|http2|child_process|cluster|worker_threads|vm|module|process)(?:\/|$)/;

/** `from '…'`, `import('…')`, `import '…'`. */
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g;

export async function importProblems({ folder, sources }: Subject): Promise<Problem[]> {
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

/** What code names that must stand in the manifest: found by how it is usually written. */
const NAMED: readonly { list: 'jobs' | 'settings' | 'slots' | 'rights'; how: RegExp }[] = [
  { list: 'jobs', how: /\.job\(\s*'([\w-]+)'/g },
  { list: 'settings', how: /\bsettings\.get(?:<[^>]*>)?\(\s*'([\w-]+)'/g },
  { list: 'slots', how: /\.slot(?:<[^()]*>)?\(\s*'([\w.-]+)'/g },
  { list: 'rights', how: /\bright:\s*'([\w.-]+)'/g },
];

export function undeclaredProblems({ manifest, sources }: Subject): Problem[] {
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

/** What the loader would not take, by the same reader. */
export function syntaxProblems({ sources }: Subject): Problem[] {
  return codeOf(sources)
    .filter(({ path }) => path.endsWith('.ts'))
    .flatMap(({ path, text }) => {
      try {
        quietly(() => stripTypeScriptTypes(text));
        return [];
      } catch (error) {
        const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
        const line = Number(/^:(\d+)/.exec(stack)?.[1] ?? 0);
        return [at(path, line || null, message)];
      }
    });
}

/** Node calls the reader an experiment each time it is first asked for by name; authors need not hear that. */
function quietly(work: () => unknown): void {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    work();
  } finally {
    process.emitWarning = emitWarning;
  }
}

const FROM_API = /\bimport\s*\{([^}]*)\}\s*from\s*['"]latchkey\/plugin-api['"]/g;

/** Names that are imported from us and that we do not have: the plugin would not even be loaded. */
export function apiProblems({ sources, surface: { api } }: Subject): Problem[] {
  return codeOf(sources).flatMap(({ path, text }) =>
    [...text.matchAll(FROM_API)].flatMap((match) =>
      (match[1] ?? '')
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && !part.startsWith('type ') && !part.startsWith('//'))
        .map((part) => part.split(/\s+as\s+/)[0] ?? '')
        .filter((name) => !api.has(name))
        .map((name) =>
          at(
            path,
            lineAt(text, match.index + match[0].indexOf(name)),
            `latchkey/plugin-api has no "${name}".${guess(name, api)} A type is imported as "type ${name}".`,
          ),
        ),
    ),
  );
}
