import { expect, test } from 'vitest';
import { afterwards } from '../support/cleanup.ts';
import { HttpClient } from '../support/http-client.ts';
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

test('an author fires a hook by hand, sees who listened, and has the hub fail', async () => {
  const { author, close } = await developNewPlugin(await temporaryFolder());
  afterwards(close);
  const fire = (hook: string, value: object): ReturnType<typeof author.submit> =>
    author.submit(
      `/dev/playground?hook=${hook}`,
      { value: JSON.stringify(value), context: '{}' },
      { action: '/dev/playground/hook' },
    );

  const filtered = await fire('ticket.draft', { title: 'No coffee' });
  const told = await fire('ticket.created', { ticket: { number: 7, title: 'Fired by hand' } });
  const noted = await author.get('/p/lost-found');
  const pretended = await author.submit(
    '/dev/playground',
    { fault: 'certificate' },
    { action: '/dev/playground/hub' },
  );
  const stranger = await new HttpClient(author.origin).send('/dev/playground', { method: 'GET' });

  expect(filtered.text).toContain('No coffee');
  expect(told.text).toContain('<strong>lost-found</strong> answered');
  expect(noted.text).toContain('#7 Fired by hand');
  expect(pretended.text).toMatch(/value="certificate" checked/);
  expect(stranger.status).toBe(303);
});
