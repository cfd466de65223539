import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newPlugin } from '../../src/cli/author/new-plugin.ts';
import { surface } from '../../src/compose-author.ts';
import { developPlugin, devOwner } from '../../src/compose-dev.ts';
import { folders, version } from '../../src/compose.ts';
import { afterwards } from '../support/cleanup.ts';
import { HttpClient } from '../support/http-client.ts';
import { temporaryFolder } from './start-host.ts';

/** From a change to its effect; an author feels it. */
const A_MOMENT_MS = 1_000;

test('what an author saves is there within a second, and so is what is wrong with it', async () => {
  const place = await temporaryFolder();
  await newPlugin({ id: 'lost-found', place, templates: folders.templates, version });
  const folder = join(place, 'lost-found');
  const { url, close } = await developPlugin({ folder, port: 0, surface, say: () => undefined });
  afterwards(close);
  const author = new HttpClient(url);
  await author.submit('/login', { email: devOwner.email, password: devOwner.password });
  /** Saves a file and answers the page once it shows it, and how long that took. */
  const save = async (file: string, from: string, to: string): Promise<{ page: string; tookMs: number }> => {
    const text = await readFile(join(folder, file), 'utf8');
    expect(text).toContain(from);
    const before = (await author.get('/dev/plugin')).json().generation as number;
    await writeFile(join(folder, file), text.replace(from, to));
    const savedAt = performance.now();
    while ((await author.get('/dev/plugin')).json().generation === before)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const tookMs = performance.now() - savedAt;
    return { page: (await author.get('/p/lost-found')).text, tookMs };
  };

  const first = (await author.get('/p/lost-found')).text;
  const code = await save(
    'src/board.ts',
    "orderBy('said_at', 'desc')",
    "orderBy('said_at', 'desc').whereRaw('1 = 0')",
  );
  const words = await save('locales/en.json', 'Leave it', 'Pin it up');
  const broken = await save('src/board.ts', 'export class Board', 'export class Borad');
  const home = (await author.get('/')).text;
  const mended = await save('src/board.ts', 'export class Borad', 'export class Board');

  expect(first).toContain('Leave it');
  expect(words.page).toContain('Pin it up');
  expect(home).toContain('lost-found does not run: import');
  expect(home).toContain('Board');
  expect(broken.page).not.toContain('Pin it up');
  expect(mended.page).toContain('Pin it up');
  expect(mended.page).not.toContain('does not run');
  const slowest = Math.max(...[code, words, broken, mended].map(({ tookMs }) => tookMs));
  expect(slowest).toBeLessThan(A_MOMENT_MS);
});
