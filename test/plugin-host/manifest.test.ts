import { readdir, readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { findPlugins, textOf } from '../../src/plugin-host/discovery.ts';
import { manifestJsonSchema, parseManifest, readManifest } from '../../src/plugin-host/manifest.ts';

const least = {
  id: 'hello',
  name: 'Hello',
  version: '1.0.0',
  description: 'Says hello.',
  publisher: 'test',
  license: 'MIT',
  engines: { latchkey: '^0.1.0' },
};

describe('plugin.json', () => {
  /** After a change of the manifest: `npx vitest run test/plugin-host/manifest.test.ts -u`. */
  test('is described by the published schema as the host reads it', async () => {
    const file = new URL('../../docs/plugin.schema.json', import.meta.url).pathname;
    const style = { parser: 'json', ...(await resolveConfig(file)) };
    const schema = await format(JSON.stringify(manifestJsonSchema()), style);

    await expect(schema).toMatchFileSnapshot(file);
  });

  test('with the least that must be said is enough', () => {
    expect(parseManifest(least)).toMatchObject({
      main: 'index.ts',
      default: 'disabled',
      claims: [],
      rights: [],
    });
  });

  test.each([
    [{ id: 'Hello' }, /id/],
    [{ id: 'hello-' }, /id/],
    [{ id: 'hello--you' }, /id/],
    [{ version: '1' }, /version/],
    [{ engines: { latchkey: 'soon' } }, /engines\.latchkey/],
    [{ main: '../../src/main.ts' }, /main/],
    [{ main: '/etc/passwd' }, /main/],
    [{ views: '../views' }, /views/],
    [{ overrides: [{ template: 'tickets/list', file: '../../x.hbs' }] }, /overrides/],
    [{ claims: ['join'] }, /claims/],
    [{ claims: ['/join/:key'] }, /claims/],
    [{ rights: [{ id: 'everything' }] }, /rights/],
    [{ settings: [{ name: 'word', type: 'color', default: 'red' }] }, /settings/],
    [{ jobs: [{ id: 'often', everyMs: 10 }] }, /jobs/],
    [{ dependencies: { requires: { 'other-one': 'latest' } } }, /dependencies/],
    [{ tablePrefix: 'users' }, /tablePrefix/],
  ])('with %j is refused by name', (wrong, says) => {
    expect(() => parseManifest({ ...least, ...wrong })).toThrow(says);
  });

  test('of every plugin that comes with us can be read, and speaks both languages', async () => {
    const bundled = new URL('../../plugins', import.meta.url).pathname;

    for (const found of await findPlugins({ bundled, added: '/nowhere' }, new Map())) {
      expect(found.problem).toBeNull();
      for (const words of [found.manifest?.name ?? '', found.manifest?.description ?? '']) {
        expect(textOf(found, words, 'en')).not.toMatch(/^(t:|name$|description$)/);
        if (words.startsWith('t:')) expect(found.texts.get('fr')).toHaveProperty([words.slice(2)]);
      }
    }
  });

  test('of every fixture can be read', async () => {
    const fixtures = new URL('fixtures', import.meta.url).pathname;

    for (const name of await readdir(fixtures))
      expect((await readManifest(`${fixtures}/${name}`)).id).toBe(name);
  });
});

describe('the module for plugins', () => {
  test('says of every export what it is, with an example', async () => {
    const source = await readFile(new URL('../../src/plugin-api.ts', import.meta.url), 'utf8');
    const exported = source.split(/\n(?=\/\*\*)/).filter((block) => /^export (?!type)/m.test(block));

    for (const block of exported.slice(1)) expect(block).toContain('@example');
  });
});
