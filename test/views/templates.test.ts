import { describe, expect, test } from 'vitest';
import { testRenderer } from './gallery.ts';
import { read, templateFiles } from './texts.ts';

const isMail = (file: string): boolean => /(^|\/)mail[./]/.test(file);
const pages = templateFiles().filter((file) => !isMail(file));
const symbols = new Set(
  [...read('public/icons.svg').matchAll(/<symbol id="([^"]+)"/g)].map((match) => match[1]),
);

test('all templates can be read', () => {
  expect(() => {
    testRenderer().compileAll();
  }).not.toThrow();
});

describe.each(pages)('%s', (file) => {
  const source = read(file).replace(/\{\{!--[\s\S]*?--\}\}/g, '');

  test('obeys the content policy', () => {
    expect(source, 'style attributes').not.toMatch(/<[^>]*\sstyle\s*=/i);
    expect(source, 'style elements').not.toMatch(/<style/i);
    expect(source, 'handlers in attributes').not.toMatch(/<[a-z][^>]*\son[a-z]+\s*=/i);
    expect(source, 'script in addresses').not.toMatch(/javascript:/i);
    for (const [script] of source.matchAll(/<script\b[^>]*>/gi)) {
      expect(script).toMatch(/\ssrc="/);
      expect(script).toMatch(/\snonce="\{\{@page\.nonce\}\}"/);
    }
  });

  test('escapes all that is not ours', () => {
    expect(source).not.toMatch(/\{\{~?\{|\{\{~?&/);
  });

  test('protects its forms', () => {
    const forms = [...source.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].map(([form]) => form);
    const bare = forms.filter((form) => /method="post"/i.test(form) && !form.includes('{{csrf}}'));

    expect(bare).toEqual([]);
  });

  test('uses icons that are in the sprite', () => {
    const icons = [...source.matchAll(/[{(]icon "([a-z0-9-]+)"|\bicon="([a-z0-9-]+)"/g)].map(
      (match) => match[1] ?? match[2],
    );

    expect(
      icons.filter((icon) => !symbols.has(icon)),
      'run `npm run icons`',
    ).toEqual([]);
  });
});
