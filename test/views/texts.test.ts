import { describe, expect, test } from 'vitest';
import { keysOf, namespaces, placeholdersIn, read, sourceFiles, templateFiles } from './texts.ts';

describe.each(namespaces())('the words of $name', ({ en, fr }) => {
  test('are there in both languages', () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
  });

  test('speak of the same things in both languages', () => {
    const asked = (texts: Record<string, string>): Record<string, string[]> =>
      Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, placeholdersIn(text)]));

    expect(asked(fr)).toEqual(asked(en));
  });

  test('are never empty, and French where they should be', () => {
    const empty = [...Object.entries(en), ...Object.entries(fr)].filter(([, text]) => text.trim() === '');
    const long = Object.keys(en).filter(
      (key) => (en[key] ?? '').split(/\s+/).length > 3 && en[key] === fr[key],
    );

    expect(empty).toEqual([]);
    expect(long, 'not translated').toEqual([]);
  });
});

describe('everything a page says', () => {
  const [en, fr] = [keysOf('en'), keysOf('fr')];

  test.each(templateFiles())('in %s has words', (file) => {
    const asked = [...read(file).matchAll(/[{(](?:t|rich) "([^"]+)"/g)].map((match) => match[1] ?? '');
    const missing = asked.filter((key) => !en.has(key) || !fr.has(key));

    expect(missing).toEqual([]);
  });

  test('when it refuses has words', () => {
    const thrown = sourceFiles().flatMap((file) =>
      [...read(file).matchAll(/new \w+Error\(\s*'([a-z][a-z0-9-]*(?:\.[a-z0-9.-]+)?)'/g)].map((match) => ({
        file,
        key: `errors.${match[1] ?? ''}`,
      })),
    );
    const missing = thrown.filter(({ key }) => !en.has(key) || !fr.has(key));

    expect(missing).toEqual([]);
  });
});
