import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import { newPlugin } from '../../src/cli/author/new-plugin.ts';
import { surface } from '../../src/compose-author.ts';
import { developPlugin } from '../../src/compose-dev.ts';
import { folders, version } from '../../src/compose-ground.ts';
import { Copies } from '../../src/dev-copies.ts';
import { afterwards } from '../support/cleanup.ts';
import { HttpClient } from '../support/http-client.ts';
import { developNewPlugin } from '../support/plugin-in-the-making.ts';
import { temporaryFolder } from './start-host.ts';

/** Each starts a helpdesk; on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 60_000 });

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
  expect(said).toMatch(/✗ lost-found, import: src\/index\.ts:\d+: /);
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

test('an author is told which interval goes on after the plugin was disabled, and it stops', async () => {
  const plugin = await developNewPlugin(await temporaryFolder());
  afterwards(plugin.close);
  const begin = 'const board = new Board(host);';
  const tick = "\n  setInterval(() => host.log.info({}, 'tick'), 20);";

  await plugin.save('src/index.ts', begin, begin + tick);
  await vi.waitFor(() => {
    expect(plugin.said.join('\n')).toContain('tick');
  });
  await plugin.save('src/index.ts', tick, '');
  const [page, ticks] = [await plugin.page(), plugin.said.length];
  await sleep(100);

  expect(page).toContain('an interval went on after the plugin was disabled');
  expect(page).toContain('src/index.ts:10');
  expect(plugin.said).toHaveLength(ticks);
});

test('whoever opens the page while the helpdesk is still being made gets it once it is there', async () => {
  const place = await temporaryFolder();
  await newPlugin({ template: 'minimal', id: 'early', place, templates: folders.templates, version });
  let early: Promise<Response> | undefined;

  const { close } = await developPlugin({
    folder: join(place, 'early'),
    port: 0,
    surface,
    say: () => undefined,
    supervisor: ({ port }) => void (early ??= fetch(`http://localhost:${String(port)}/login`)),
  });
  afterwards(close);

  expect((await early)?.status).toBe(200);
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

test('an author whose editor puts a new file in the place of the old is followed each time, and told by their own paths', async () => {
  const plugin = await developNewPlugin(await temporaryFolder());
  afterwards(plugin.close);
  const code = await readFile(join(plugin.folder, 'src/index.ts'), 'utf8');
  const table = (name: string): string =>
    `export const migration = { name: '0002-more', up: ['CREATE TABLE ${name} (id {id}'], down: [] };`;

  await plugin.put(
    'src/index.ts',
    code.replace('definePlugin((host) => {', 'definePlugin((host) => { null.x;'),
  );
  const thrown = (await plugin.author.get('/')).text;
  await plugin.put('src/index.ts', code);
  const mended = await plugin.page();
  await writeFile(join(plugin.folder, 'migrations/0002-more.ts'), table('lost_found_more'));
  await vi.waitFor(
    () => {
      expect(plugin.said.join('\n')).toContain('✗ lost-found, migrate: migrations/0002-more.ts, step 1 of 1');
    },
    { timeout: 15_000 },
  );

  expect(thrown).toContain('lost-found does not run: setup');
  expect(thrown).toMatch(/src\/index\.ts:\d+/);
  expect(mended).toContain('Leave it');
  expect(plugin.said.join('\n')).not.toContain('latchkey-dev-');
});

test('an author runs a job, reads the mails, moves the clock, and sees in the page what fails while the plugin runs', async () => {
  const plugin = await developNewPlugin(await temporaryFolder(), {
    changes: [
      ['plugin.json', '{ "db": ["own"] }', '{ "db": ["own"], "mail": true }'],
      ['src/index.ts', 'import { definePlugin', 'import { dashboardCards, definePlugin'],
      [
        'src/index.ts',
        "host.job('forget', async () => {",
        `host.contribute(dashboardCards, ({ actor }) => { if (actor.can('plugin.manage')) throw new Error('No card'); return null; });
  host.job('forget', async () => {
    host.log.info({}, 'Looking through the box');
    await host.transaction((tx) => host.mail.queue(tx, { to: { email: 'ada@example.org' }, template: 'lost-found/mail/ask', model: {}, locale: 'en', kind: 'ask' }));`,
      ],
    ],
    files: {
      'views/mail/ask.subject.hbs': '{{t "lost-found:menu"}} for you',
      'views/mail/ask.html.hbs': '<p>By post</p>',
      'views/mail/ask.text.hbs': 'By post',
    },
  });
  afterwards(plugin.close);

  const ran = await plugin.author.submit(
    '/dev/playground',
    { job: 'forget' },
    { action: '/dev/playground/job#job' },
  );
  const letter = await plugin.author.get('/dev/playground/letters/1');
  const fired = await plugin.author.submit(
    '/dev/playground?hook=dashboard.cards',
    { context: '{}' },
    { action: '/dev/playground/hook' },
  );
  const home = (await plugin.author.get('/')).text;
  const move = (by: string): Promise<unknown> =>
    plugin.author.submit('/dev/playground', { by }, { action: '/dev/playground/clock' });
  const hourOn = async (): Promise<number> => {
    await move('hour');
    return (await plugin.author.get('/dev/playground/letters/2')).status;
  };
  await expect.poll(hourOn, { timeout: 30_000, interval: 500 }).toBe(200);
  const ahead = (await plugin.author.get('/')).text;
  await move('right');

  expect(ahead).toContain('The clock of this helpdesk was moved ahead.');
  expect((await plugin.author.get('/')).text).not.toContain('was moved ahead');
  expect(ran.text).toContain('Done.');
  expect(ran.text).toContain('Notes for you');
  expect(letter.text).toContain('<p>By post</p>');
  expect(plugin.said.join('\n')).toContain('· lost-found, info: Looking through the box');
  expect(fired.text).toContain('lost-found, dashboard.cards: No card');
  expect(home).toMatch(/dashboard\.cards<\/code> No card <code>src\/index\.ts:\d+/);
});

test('nobody reads what was saved before the plugin that ran has ended', async () => {
  const folder = join(await temporaryFolder(), 'hello');
  await mkdir(folder);
  const copies = await Copies.of(folder, 'hello');
  afterwards(() => copies.remove());
  const save = (said: string): Promise<void> =>
    writeFile(join(folder, 'index.ts'), `export const said = '${said}';`);
  const read = async (attempt: number): Promise<string> => {
    const { href } = pathToFileURL(join(copies.current, 'index.ts'));
    return ((await import(`${href}?attempt=${String(attempt)}`)) as { said: string }).said;
  };
  await save('before');
  await (
    await copies.take()
  )();

  await save('after');
  const putToUse = await copies.take();
  const meanwhile = await read(1);
  await putToUse();

  expect(meanwhile).toBe('before');
  expect(await read(2)).toBe('after');
});
