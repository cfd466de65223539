import { basename } from 'node:path';
import { prefixOf, writtenTables } from '../../../plugin-host/index.ts';
import { guess } from '../../../shared/guess.ts';
import { at, lineAt, lineOf, type Problem, type Subject } from './subject.ts';

/** The words for types that a statement may have; each engine puts in its own. */
const TYPES = new Set(['id', 'instant', 'digest', 'bytes', 'text', 'flag', 'number']);

export function migrationProblems({ manifest, sources }: Subject): Problem[] {
  const prefix = prefixOf(manifest);
  const steps = sources.filter(
    ({ path }) => path.startsWith(`${manifest.migrations}/`) && path.endsWith('.ts'),
  );
  return steps.flatMap(({ path, text }) => {
    const name = basename(path, '.ts');
    const tables = writtenTables(text).filter(({ table }) => !table.startsWith(prefix));
    const types = [...text.matchAll(/(?<!\$)\{(\w+)\}/g)].filter(([, type = '']) => !TYPES.has(type));
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
      ...tables.map(({ table, index }) =>
        at(path, lineAt(text, index), `The table ${table} must begin with ${prefix}`),
      ),
      ...types.map((match) =>
        at(
          path,
          lineAt(text, match.index),
          `{${match[1] ?? ''}} is no type.${guess(match[1] ?? '', TYPES)} There are ${[...TYPES].map((type) => `{${type}}`).join(' ')}.`,
        ),
      ),
    ];
  });
}
