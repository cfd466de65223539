import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pluginFiles } from '../../plugin-host/index.ts';
import { apiProblems, importProblems, syntaxProblems, undeclaredProblems } from './check/check-code.ts';
import { hookProblems, manifestIn, manifestProblems } from './check/check-manifest.ts';
import { migrationProblems } from './check/check-migrations.ts';
import { promiseProblems } from './check/check-promises.ts';
import { templateProblems } from './check/check-templates.ts';
import { wordProblems } from './check/check-words.ts';
import type { Problem, Surface } from './check/subject.ts';

export type { Problem, Surface } from './check/subject.ts';

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
    ...syntaxProblems(subject),
    ...(await importProblems(subject)),
    ...apiProblems(subject),
    ...hookProblems(subject),
    ...undeclaredProblems(subject),
    ...promiseProblems(subject),
    ...migrationProblems(subject),
    ...templateProblems(subject),
    ...wordProblems(subject),
  ];
  return found.sort(
    (one, other) => one.file.localeCompare(other.file) || (one.line ?? 0) - (other.line ?? 0),
  );
}
