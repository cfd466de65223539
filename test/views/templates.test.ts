import Handlebars from 'handlebars';
import { describe, expect, test } from 'vitest';
import { parseHandlebars } from '../../src/views/index.ts';
import { registerHelpers } from '../../src/views/helpers.ts';
import { assets, i18n, testRenderer } from './gallery.ts';
import { read, templateFiles } from './texts.ts';

const isMail = (file: string): boolean => /(^|\/)mail[./]/.test(file);
const pages = templateFiles().filter((file) => !isMail(file));
const symbols = new Set(
  [...read('public/icons.svg').matchAll(/<symbol id="([^"]+)"/g)].map((match) => match[1]),
);

/** Every helper that a template calls with arguments. */
class Calls extends Handlebars.Visitor {
  readonly names: string[] = [];

  override MustacheStatement(call: hbs.AST.MustacheStatement): void {
    this.#note(call);
    super.MustacheStatement(call);
  }

  override SubExpression(call: hbs.AST.SubExpression): void {
    this.#note(call);
    super.SubExpression(call);
  }

  #note({ path, params, hash }: { path: hbs.AST.Expression; params: unknown[]; hash?: hbs.AST.Hash }): void {
    const isCall = params.length > 0 || (hash?.pairs.length ?? 0) > 0;
    if (isCall && 'original' in path) this.names.push(String(path.original));
  }
}

const known = Handlebars.create();
registerHelpers(known, { i18n, assets, now: () => 0 });

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

  test('calls helpers that there are', () => {
    const calls = new Calls();
    calls.accept(Handlebars.parse(source));

    expect(calls.names.filter((name) => !(name in known.helpers))).toEqual([]);
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

test.each([
  ['{{#if a}}\n\n{{/each}}', 'line 1: {{#if}} is closed by {{/each}}'],
  ['<p>\n{{#if a}}\nx', 'line 3: the file ends, and a {{#…}} is still open'],
  [
    '<p>\n{{t "a}}</p>',
    'line 2: this is no tag that can be read, at “<p>{{t "a}}</p>”; is a }} or a quote missing?',
  ],
])('whoever mistypes a tag is told in a sentence what is wrong with it: %j', (source, sentence) => {
  expect(() => parseHandlebars(source)).toThrow(sentence);
});
