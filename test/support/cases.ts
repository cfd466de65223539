import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The cases of the reference, as it numbers them; numbers that are not there were never given. */
const numbers: Record<string, readonly [title: string, ...ids: string[]]> = {
  M: ['Minting', '01-11', '13-17', '19', '20', '22-25'],
  A: ['Who may do what', '01-05', '07-09', '11-13', '15-17'],
  E: ['Editing, revoking, deleting', '01-10', '12', '14-17', '19'],
  C: ['Checking', '01-07', '09', '11', '12', '14', '15'],
  R: ['Redeeming', '01-08', '10', '11', '13-23', '25-28', '30-32'],
  P: ['At the same time', '01-04', '06', '08', '10-14'],
  D: ['Limits, leaks, listing', '01-03', '05', '07-13', '15', '17'],
};

export const caseIds: readonly string[] = Object.entries(numbers).flatMap(([letter, [, ...spans]]) =>
  spans.flatMap(unfold).map((number) => `${letter}${number}`),
);

function unfold(span: string): string[] {
  const [from = '', to = from] = span.split('-');
  const count = Number(to) - Number(from) + 1;
  return Array.from({ length: count }, (_, at) => String(Number(from) + at).padStart(2, '0'));
}

export interface HeldBy {
  file: string;
  title: string;
}

const PLACES = [
  'plugins/{registration-key,openid-connect}/test/**/*.ts',
  'test/{races,cluster,server}/**/*.ts',
];
/** A title is a text that begins with the id of a case, or of several. */
const titles = /(['"`])((?:[MAECRPD]\d{2})\b(?:(?!\1)[^\\\n]|\\.)*)\1/g;

/** Which tests have a case in their title. */
export function testsOfCases(root: string): Map<string, HeldBy[]> {
  const found = new Map<string, HeldBy[]>();
  for (const file of globSync(PLACES, { cwd: root }).sort()) {
    for (const [, , title = ''] of readFileSync(join(root, file), 'utf8').matchAll(titles)) {
      for (const [id] of title.matchAll(/\b[MAECRPD]\d{2}\b/g)) {
        found.set(id, [...(found.get(id) ?? []), { file, title }]);
      }
    }
  }
  return found;
}

/** The page that shows it. */
export function mapOfCases(root: string): string {
  const held = testsOfCases(root);
  const missing = caseIds.filter((id) => !held.has(id));
  const parts = Object.entries(numbers).map(([letter, [title]]) => {
    const rows = caseIds
      .filter((id) => id.startsWith(letter))
      .flatMap((id) =>
        (held.get(id) ?? []).map((test) => `| ${id} | ${withoutIds(test.title)} | \`${test.file}\` |`),
      );
    return [`## ${title}`, '', '| case | test | where |', '| --- | --- | --- |', ...rows, ''].join('\n');
  });
  return [
    '# Which test holds which case',
    '',
    'Written by `npm run cases`; a test fails when it is behind. Tests of the cases run on SQLite and on MariaDB, those of “At the same',
    'time” also on three Galera nodes (`npm run test:cluster`), which run the same file, `test/races/same-time.ts`.',
    '',
    ...(missing.length === 0 ? [] : [`Without a test: ${missing.join(', ')}.`, '']),
    ...parts,
  ].join('\n');
}

const withoutIds = (title: string): string =>
  title.replace(/^(?:[MAECRPD]\d{2},?\s+)+/, '').replaceAll('|', '\\|');
