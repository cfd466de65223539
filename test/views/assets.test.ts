import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { AssetStore, collect } from '../../src/views/index.ts';
import { assets } from './gallery.ts';
import { read } from './texts.ts';

function folderWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'assets-'));
  writeFileSync(join(folder, 'a.css'), content);
  return folder;
}

test('an address carries the version of what it names, so it may be kept', () => {
  const asset = assets.lookup(assets.url('latchkey.css'));

  expect(asset).toMatchObject({ mediaType: 'text/css; charset=utf-8', immutable: true });
});

test('an older address still finds the file, but is not kept', () => {
  const old = assets.url('latchkey.css').replace(/[0-9a-f]{16}/, '0'.repeat(16));

  expect(assets.lookup(old)?.immutable).toBe(false);
});

test('every file that a style names is there', () => {
  for (const [, name = ''] of read('public/theme.css').matchAll(/url\('([^']+)'\)/g))
    expect(() => assets.url(name)).not.toThrow();
});

test.each([
  '/assets/x/latchkey.css',
  '/assets/0000000000000000/../package.json',
  '/assets/0000000000000000/nothing.css',
  '/assets/0000000000000000/',
  '/etc/passwd',
])('nothing else is served: %s', (path) => {
  expect(assets.lookup(path)).toBeNull();
});

test('a name nobody knows is a mistake in a template', () => {
  expect(() => assets.url('nothing.css')).toThrow('There is no asset nothing.css.');
});

test('text travels packed, pictures and fonts as they are', async () => {
  const style = assets.lookup(assets.url('latchkey.css'));
  const font = assets.lookup(assets.url('inter-latin.woff2'));

  const packed = style && (await assets.packed(style, 'br'));

  expect(packed && brotliDecompressSync(packed).toString()).toBe(read('public/latchkey.css'));
  expect(font && (await assets.packed(font, 'br'))).toBeNull();
});

test('a plugin brings files of its own, newly addressed when they change, and takes them with it', async () => {
  const store = new AssetStore(folderWith('a{}'));
  const undoOld = store.add('branding', await collect(folderWith('b{}')));
  const before = store.url('branding/a.css');
  const undo = store.add('branding', await collect(folderWith('c{}')));

  expect(before).toMatch(/^\/assets\/[0-9a-f]{16}\/branding\/a\.css$/);
  expect(store.url('branding/a.css')).not.toBe(before);
  undoOld();
  expect(store.lookup(store.url('branding/a.css'))).not.toBeNull();
  undo();
  expect(() => store.url('branding/a.css')).toThrow();
});
