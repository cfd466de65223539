import { describe, expect, test } from 'vitest';
import { i18n } from './gallery.ts';

describe('the language of a page', () => {
  test.each([
    ['fr-CA,fr;q=0.8,en;q=0.5', 'fr'],
    ['de-DE,de;q=0.9,en;q=0.1', 'en'],
    ['en;q=0.3, fr;q=0.9', 'fr'],
    ['de, ja;q=0.5', null],
    ['fr;q=0', null],
    ['', null],
    [undefined, null],
  ])('for a browser that says %s is %s', (header, language) => {
    expect(i18n.negotiate(header)).toBe(language);
  });

  test('is English where we do not speak it', () => {
    expect(i18n.translate('de', 'common:form.save')).toBe('Save');
    expect(i18n.translate('fr-CA', 'common:form.save')).toBe('Enregistrer');
  });
});

test('A line of French never begins with a sign that has a space before it', () => {
  const undo = i18n.addNamespace('lines', 'fr', { 'lines.ask': 'Vraiment ? « Oui » : {{name}} !' });

  expect(i18n.translate('fr', 'lines:lines.ask', { name: 'Jo' })).toBe(
    'Vraiment\u00a0? «\u00a0Oui\u00a0»\u00a0: Jo\u00a0!',
  );
  undo();
});

test('What is counted is written as the language writes numbers, and what is named by a number is not', () => {
  const undo = i18n.addNamespace('counting', 'en', {
    of_one: 'One of {{total}} for #{{number}}.',
    of_other: '{{count}} of {{total}} for #{{number}}.',
  });

  expect(i18n.translate('en', 'counting:of', { count: 4993, total: 5000, number: 4993 })).toBe(
    '4,993 of 5,000 for #4993.',
  );
  expect(i18n.translate('en', 'counting:of', { count: 1, total: 5000, number: 7 })).toBe(
    'One of 5,000 for #7.',
  );
  undo();
});

describe('a plugin', () => {
  test('brings words that any page can say, and takes them with it', () => {
    const undo = i18n.addNamespace('hello-world', 'en', { 'errors.hello.shy': 'Too shy, {{name}}.' });

    expect(i18n.translate('en', 'errors.hello.shy', { name: 'Jo' })).toBe('Too shy, Jo.');
    expect(i18n.translate('fr', 'hello-world:errors.hello.shy', { name: 'Jo' })).toBe('Too shy, Jo.');
    undo();
    expect(i18n.has('en', 'errors.hello.shy')).toBe(false);
  });
});
