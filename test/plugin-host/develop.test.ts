import { expect, test } from 'vitest';
import { afterwards } from '../support/cleanup.ts';
import { developNewPlugin } from '../support/plugin-in-the-making.ts';
import { temporaryFolder } from './start-host.ts';

test('what an author saves is on the page, and so is what is wrong with it', async () => {
  const plugin = await developNewPlugin(await temporaryFolder());
  afterwards(plugin.close);

  const first = await plugin.page();
  await plugin.save(
    'src/board.ts',
    "orderBy('said_at', 'desc')",
    "orderBy('said_at', 'desc').whereRaw('1 = 0')",
  );
  await plugin.save('locales/en.json', 'Leave it', 'Pin it up');
  const changed = await plugin.page();
  await plugin.save('src/board.ts', 'export class Board', 'export class Borad');
  const broken = await plugin.page();
  const home = (await plugin.author.get('/')).text;
  await plugin.save('src/board.ts', 'export class Borad', 'export class Board');
  const mended = await plugin.page();

  expect(first).toContain('Leave it');
  expect(changed).toContain('Pin it up');
  expect(home).toContain('lost-found does not run: import');
  expect(home).toContain('Board');
  expect(broken).not.toContain('Pin it up');
  expect(mended).toContain('Pin it up');
  expect(mended).not.toContain('does not run');
});
