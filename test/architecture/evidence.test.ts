import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { caseIds, mapOfCases, testsOfCases } from '../support/cases.ts';

const ROOT = join(import.meta.dirname, '../..');
const POINTS = 46;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('what we say about invitation keys', () => {
  test('each case of the reference has a test with its id', () => {
    const held = testsOfCases(ROOT);

    expect(caseIds.filter((id) => !held.has(id))).toEqual([]);
  });

  test('the map of cases is what the tests say', () => {
    expect(read('docs/registration-keys/cases.md'), 'run `npm run cases`').toBe(mapOfCases(ROOT));
  });

  test('each point of the security checklist is held by tests or lines that are there', () => {
    const points = new Map<number, string[]>();
    let current: string[] = [];
    for (const line of read('docs/security/registration-keys.md').split('\n')) {
      const number = /^(\d+)\. /.exec(line)?.[1];
      if (number !== undefined) points.set(Number(number), (current = []));
      const evidence = /^\s+- `[^`]+`: .+$/.exec(line)?.[0];
      if (evidence !== undefined) current.push(evidence);
    }

    expect([...points.keys()]).toEqual(Array.from({ length: POINTS }, (_, at) => at + 1));
    expect([...points].filter(([, evidence]) => evidence.length === 0)).toEqual([]);
    expect([...points.values()].flat().filter((evidence) => !isThere(evidence))).toEqual([]);
  });
});

/** `- \`file\`: words that stand in it`. */
function isThere(evidence: string): boolean {
  const [, file = '', words = ''] = /- `([^`]+)`: (.+)$/.exec(evidence) ?? [];
  return existsSync(join(ROOT, file)) && read(file).includes(words);
}
