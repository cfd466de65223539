import { expect, test } from 'vitest';
import { surface } from '../../src/compose-author.ts';
import { developPlugin } from '../../src/compose-dev.ts';
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
  const said = plugin.said.join('\n');
  const home = (await plugin.author.get('/')).text;
  await plugin.save('src/board.ts', 'export class Borad', 'export class Board');
  const mended = await plugin.page();

  expect(first).toContain('Leave it');
  expect(changed).toContain('Pin it up');
  expect(home).toContain('lost-found does not run: import');
  expect(home).toContain('Board');
  expect(broken).not.toContain('Pin it up');
  expect(broken).toContain('lost-found does not run: import');
  expect(said).toContain('✗ lost-found, import: ');
  expect(said).not.toContain('latchkey-dev-');
  expect(mended).toContain('Pin it up');
  expect(mended).not.toContain('does not run');
});

test('an author is told which line of which template cannot be drawn', async () => {
  const plugin = await developNewPlugin(await temporaryFolder());
  afterwards(plugin.close);

  await plugin.save('views/board.hbs', '{{ago saidAt}}', '{{agoo saidAt}}');
  await plugin.author.submit('/p/lost-found', { said: 'A glove' }, { action: '/p/lost-found' });

  expect(plugin.said.join('\n')).toContain('lost-found/board.hbs:9: There is no helper "agoo".');
});

test('an author is told that the port is taken', async () => {
  const { author, folder, close } = await developNewPlugin(await temporaryFolder());
  afterwards(close);
  const port = Number(new URL(author.origin).port);

  const another = developPlugin({ folder, port, surface, say: () => undefined });

  await expect(another).rejects.toMatchObject({ code: 'author.port-taken', params: { port } });
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
