import { basename, normalize, resolve } from 'node:path';
import semver from 'semver';
import { ManifestError, parseManifest, type Manifest } from '../../../plugin-host/index.ts';
import { guess } from '../../../shared/guess.ts';
import {
  at,
  lineAt,
  lineOf,
  textOf,
  type Problem,
  type Source,
  type Subject,
  type Surface,
} from './subject.ts';

export function manifestIn(sources: readonly Source[]): { manifest: Manifest | null; problems: Problem[] } {
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

export function manifestProblems({ folder, manifest, sources, surface }: Subject): Problem[] {
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
    ...manifest.menus
      .filter(({ icon }) => !surface.icons.has(icon))
      .map(({ icon }) => say(icon, `There is no icon "${icon}".${guess(icon, surface.icons)}`)),
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

export function hookProblems({ manifest, sources, surface }: Subject): Problem[] {
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

/** `settings.loanDays.default: …` is looked for name by name, each behind the one before. */
function lineOfField(text: string, problem: string): number | null {
  const names = /^[\w.-]+(?=:)/.exec(problem)?.[0].split('.') ?? [];
  let at = -1;
  for (const name of names) {
    const found = text.indexOf(`"${name}"`, at + 1);
    if (found >= 0) at = found;
  }
  return at < 0 ? null : lineAt(text, at);
}
