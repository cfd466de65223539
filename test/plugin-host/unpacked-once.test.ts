import { existsSync } from 'node:fs';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PluginInstaller, type PluginInstallerDeps } from '../../src/plugin-host/plugin-installer.ts';
import {
  clearStaging,
  keepForUse,
  placeRelease,
  sha256Of,
  unpackedAside,
} from '../../src/plugin-host/release-folders.ts';
import type { Release } from '../../src/plugin-host/release-repository.ts';
import { system } from '../../src/shared/actor.ts';
import { InvalidInputError } from '../../src/shared/errors.ts';
import { packageOf } from './packages.ts';
import { temporaryFolder } from './start-host.ts';

const reached = (): void => undefined;
/** Whoever asks it for the package unpacks once more. */
const db = {
  knex: () => {
    throw new Error('The database was asked');
  },
} as never;

async function tried(trial: (folder: string) => Promise<void> = () => Promise.resolve()) {
  const added = await temporaryFolder();
  const packed = await packageOf('parcel', '1.0.0', { files: { 'deep/note.txt': 'Hello' }, isListed: true });
  const release = { pluginId: 'parcel', version: '1.0.0', sha256: sha256Of(packed) } as Release;
  await unpackedAside(added, packed, async (folder, unpacked) => {
    await trial(folder);
    await keepForUse(added, release, { folder, unpacked });
  });
  const place = (): Promise<string> => placeRelease(db, release, { added, reached });
  const staged = (): Promise<string[]> => readdir(join(added, '.staging'));
  return { added, release, packed, place, staged };
}

describe('a package that was verified and tried', () => {
  test('is not unpacked once more when it is used', async () => {
    const { place, staged } = await tried();

    const folder = await place();

    expect(await readFile(join(folder, 'deep/note.txt'), 'utf8')).toBe('Hello');
    expect(await staged()).toEqual([]);
    expect(await place()).toBe(folder);
  });

  test.each([
    ['changed', (folder: string) => writeFile(join(folder, 'deep/note.txt'), 'Hullo')],
    ['left lying', (folder: string) => writeFile(join(folder, 'more.txt'), 'More')],
  ])('comes from its package again where its trial has %s something', async (_what, trial) => {
    const { place, staged } = await tried(trial);

    expect(await staged()).toEqual([]);
    await expect(place()).rejects.toThrow('The database was asked');
  });

  test('waits for an hour, and is then cleared away', async () => {
    const { added, release, staged } = await tried();
    const waiting = join(added, '.staging', release.sha256);
    const { mtimeMs } = await stat(waiting);

    await clearStaging(added, { now: mtimeMs + 3_000_000 });
    expect(await staged()).toEqual([release.sha256]);
    await utimes(waiting, 0, 0);
    await clearStaging(added, { now: Date.now() });
    expect(await staged()).toEqual([]);
  });

  test('is kept once, however often it is tried', async () => {
    const { added, release, packed, staged } = await tried();

    await unpackedAside(added, packed, (folder, unpacked) =>
      keepForUse(added, release, { folder, unpacked }),
    );

    expect(await staged()).toEqual([release.sha256]);
  });
});

test('what its publisher has not signed is never tried, and nothing of it is left', async () => {
  const added = await temporaryFolder();
  let trials = 0;
  const deps = {
    added,
    preflight: () => {
      trials += 1;
      return Promise.reject(new Error('It was tried'));
    },
  } as Partial<PluginInstallerDeps> as PluginInstallerDeps;
  let seen: string | undefined;
  const assertSigned = (list: Buffer | null): void => {
    seen = list?.toString();
    throw new InvalidInputError('network.S02');
  };

  const packed = await packageOf('parcel', '1.0.0', { isListed: true });
  const staging = new PluginInstaller(deps).stage(system, packed, { assertSigned });

  await expect(staging).rejects.toMatchObject({ code: 'network.S02' });
  expect(seen).toContain('"path":"index.ts"');
  expect([trials, await readdir(join(added, '.staging')), existsSync(join(added, 'parcel'))]).toEqual([
    0,
    [],
    false,
  ]);
});
