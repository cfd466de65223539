import { basename } from 'node:path';
import { prefixOf } from '../../../plugin-host/index.ts';
import { at, lineAt, lineOf, type Problem, type Subject } from './subject.ts';

const TABLE =
  /\b(?:create\s+table(?:\s+if\s+not\s+exists)?|alter\s+table|drop\s+table(?:\s+if\s+exists)?|create\s+(?:unique\s+|fulltext\s+)?index\s+(?:if\s+not\s+exists\s+)?\w+\s+on)\s+[`"]?(\w+)/gi;

export function migrationProblems({ manifest, sources }: Subject): Problem[] {
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
