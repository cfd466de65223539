import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomFrom } from '../../src/cli/seed/random.ts';
import { newKeyPair, signPackage } from '../../src/network/index.ts';
import { unpack } from '../../src/plugin-host/unpack.ts';
import { hostileArchives, honestPackage, honestTar, sealHeader } from '../support/hostile-archives.ts';

let place = '';
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'hostile-'));
});
afterAll(() => rm(place, { recursive: true }));

/** Unpacks into a folder of its own, beside which nothing may appear. */
async function tried(
  packed: Uint8Array,
): Promise<{ error: unknown; files: Map<string, string>; beside: string[] }> {
  const around = await mkdtemp(join(place, 'around-'));
  const folder = join(around, 'a', 'b');
  const error: unknown = await unpack(packed, folder).then(
    () => null,
    (reason: unknown) => reason,
  );
  const beside = (await readdir(around)).filter((name) => name !== 'a');
  const inner = (await readdir(join(around, 'a')).catch(() => [])).filter((name) => name !== 'b');
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, string>();
  for (const one of all) {
    if (one.isDirectory()) continue;
    if (!one.isFile()) beside.push(one.name);
    else files.set(one.name, await readFile(join(one.parentPath, one.name), 'latin1'));
  }
  await rm(around, { recursive: true });
  return { error, files, beside: [...beside, ...inner] };
}

const honest = new Map([
  ['index.ts', 'export default 1;\n'],
  ['plugin.json', '{"id":"parcel"}'],
]);

describe('a package', () => {
  test.each(Object.entries(hostileArchives))(
    'with %s is refused, and nothing lies beside it',
    async (_, make) => {
      const { error, beside } = await tried(make());

      expect((error as { code?: string } | null)?.code).toMatch(/^plugin\.package-(broken|too-big)$/);
      expect(beside).toEqual([]);
      const clean = await tried(honestPackage);
      expect([clean.error, clean.files]).toEqual([null, honest]);
    },
  );

  test('with any of this is not signed either', async () => {
    const { privateKey } = newKeyPair();
    const small = Object.entries(hostileArchives).filter(([name]) => !/bomb|more files/.test(name));
    for (const [name, make] of small) {
      const refused = await signPackage(make(), privateKey).catch((error: unknown) => error);
      expect([name, (refused as { code?: string }).code]).toEqual([name, 'author.package-broken']);
    }
  });

  test('changed at random is refused, or holds what it held', async () => {
    const random = randomFrom(7);
    for (let round = 0; round < 200; round += 1) {
      const tar = Buffer.from(honestTar);
      const at = random.whole(0, tar.length - 1);
      const header = at - (at % 512);
      tar[at] = random.whole(0, 255);
      if (random.chance(0.7)) sealHeader(tar.subarray(header, header + 512));
      const { error, files, beside } = await tried(gzipSync(tar, { level: 1 }));

      expect(beside, String(round)).toEqual([]);
      if (error === null) for (const name of files.keys()) expect(name).toMatch(/^[\w@.+-]+$/);
      else expect((error as { code?: string }).code).toMatch(/^plugin\.package-/);
    }
  });
});
