import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { explained } from '../../src/cli/terminal.ts';
import { runProgram } from '../../src/cli/program.ts';
import { authorTools } from '../../src/compose-author.ts';
import { folders } from '../../src/compose.ts';
import { I18n } from '../../src/views/index.ts';
import { temporaryFolder } from './start-host.ts';

interface Ran {
  code: number;
  out: string;
  err: string;
  found: boolean;
}

const run = promisify(execFile);
const root = dirname(folders.plugins);
const quiet = { env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' } };
const words = new I18n({ directory: folders.locales });

/** `latchkey <words>` in this process. */
async function latchkey(...argv: string[]): Promise<Ran> {
  const ran: Ran = { code: 0, out: '', err: '', found: false };
  const tools = authorTools({ onProblem: () => void (ran.found = true) });
  ran.code = await runProgram(tools, argv, {
    out: (text) => void (ran.out += text),
    error: (text) => void (ran.err += text),
    explain: (error) => explained(error, words),
    read: () => Promise.resolve(''),
  });
  return ran;
}

/** A new plugin, as the first command of an author makes it. */
async function newPlugin(...options: string[]): Promise<{ place: string; folder: string }> {
  const place = await temporaryFolder();
  const made = await latchkey('plugin', 'new', 'lost-found', '--dir', place, ...options);
  expect(made).toMatchObject({ code: 0 });
  return { place, folder: join(place, 'lost-found') };
}

async function change(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}

/** What is changed in which file, from what to what; where that is told, and some of the words. */
const mistakes = String.raw`
  src/index.ts ~ host.job('forget' ~ host.job('forgets' ~ src/index.ts:38 ~ Did you mean "forget"?
  src/index.ts ~ 'keepDays' ~ 'keepWeeks' ~ src/index.ts:39 ~ does not stand under "settings"
  views/board.hbs ~ partials/field ~ partials/fild ~ views/board.hbs:5 ~ Did you mean "partials/field"?
  src/board.ts ~ 'latchkey/plugin-api' ~ '../../../src/db/table.ts' ~ src/board.ts:1 ~ out of the plugin's folder
  src/board.ts ~ 'latchkey/plugin-api' ~ 'node:fs' ~ src/board.ts:1 ~ the host's
  src/board.ts ~ 'latchkey/plugin-api' ~ 'lodash' ~ src/board.ts:1 ~ copy what you need
  src/index.ts ~ './board.ts' ~ './board' ~ src/index.ts:2 ~ Imports end in ".ts"
  plugin.json ~ "ticket.created" ~ "ticket.create" ~ plugin.json:18 ~ Did you mean "ticket.created"?
  plugin.json ~ "main": "src/index.ts" ~ "main": "index.ts" ~ plugin.json:11 ~ There is no file index.ts
  plugin.json ~ "id": "lost-found" ~ "id": "lost-things" ~ plugin.json:4 ~ must be called lost-things
  plugin.json ~ "everyMs": 3600000 ~ "everyMs": 3 ~ plugin.json:17 ~ everyMs
  plugin.json ~ "manifest": 1, ~ "manifest": 1 ~ plugin.json:4 ~ JSON
  plugin.json ~ "jobs" ~ "slots": ["ticket.sidebars"], "jobs" ~ plugin.json:17 ~ Did you mean "ticket.sidebar"?
  locales/fr.json ~   "say": "La laisser",\n ~  ~ locales/en.json:6 ~ "say" is missing in locales/fr.json
  plugin.json ~ "label": "menu" ~ "label": "entry" ~ plugin.json:16 ~ no text "entry"
  views/board.hbs ~ {{/if}} ~  ~ views/board.hbs: ~ layouts/app
  views/board.hbs ~ {{csrf}} ~  ~ views/board.hbs:3 ~ {{csrf}}
  views/board.hbs ~ {{said}} ~ {{{said}}} ~ views/board.hbs:9 ~ {{{
  views/board.hbs ~ <ul> ~ <ul style="color:red"> ~ views/board.hbs:9 ~ have no effect
  migrations/0001-notes.ts ~ EXISTS lost_found_note ( ~ EXISTS tickets ( ~ migrations/0001-notes.ts:6 ~ must begin with lost_found_
  migrations/0001-notes.ts ~ name: '0001-notes' ~ name: '0002-notes' ~ migrations/0001-notes.ts:4 ~ the name '0001-notes'
  migrations/0001-notes.ts ~ ['DROP TABLE IF EXISTS lost_found_note'] ~ ['DELETE FROM tickets'] ~ migrations/0001-notes.ts:9 ~ The table tickets must begin with lost_found_
  migrations/0001-notes.ts ~ said_at {instant} ~ said_at {instnat} ~ migrations/0001-notes.ts:7 ~ Did you mean "instant"?
  plugin.json ~ "jobs" ~ "job" ~ plugin.json:17 ~ Did you mean "jobs"?
  plugin.json ~ "default": 30 ~ "default": "30" ~ plugin.json:15 ~ settings.keepDays.default
  plugin.json ~ "db": ["own"] ~ "db": ["own"], "mails": true ~ plugin.json:13 ~ Did you mean "mail"?
  src/index.ts ~ host.on(ticketCreated ~ host.on((ticketCreated ~ src/index.ts:3 ~ xpected
  src/index.ts ~ ticketCreated, view ~ ticketCretaed, view ~ src/index.ts:1 ~ Did you mean "ticketCreated"?
  locales/en.json ~ "say": "Leave it", ~ "say": "Leave it" ~ locales/en.json:7 ~ JSON
  views/board.hbs ~ {{ago saidAt}} ~ {{agoo saidAt}} ~ views/board.hbs:9 ~ Did you mean "ago"?
  src/index.ts ~ 'lost-found/board' ~ 'lost-found/borad' ~ src/index.ts:14 ~ Did you mean "lost-found/board"?
  src/index.ts ~ host.settings.get<number>('keepDays') ~ host.users.count() ~ src/index.ts:39 ~ "users": ["read"]
  src/index.ts ~ path: '/p/lost-found' ~ path: '/notes' ~ src/index.ts:19 ~ "claims"
  src/board.ts ~ 'lost_found_note' ~ 'note' ~ src/board.ts:3 ~ must begin with lost_found_
  plugin.json ~ "everyMs": 3600000 ~ "cron": "every hour" ~ plugin.json:17 ~ crontab
  plugin.json ~ "icon": "message" ~ "icon": "mesage" ~ plugin.json:16 ~ Did you mean "message"?
`
  .trim()
  .split('\n')
  .map((line) =>
    line
      .trim()
      .replaceAll(String.raw`\n`, '\n')
      .split(' ~ '),
  );

describe('an author', () => {
  // The one of the guide is the full one, and its tests are run there.
  test.for([['minimal'], ['ticket']])(
    'gets a plugin against which there is nothing to say, and whose tests pass: %s',
    { timeout: 60_000 },
    async ([template = '']) => {
      const { folder } = await newPlugin('--template', template);

      const checked = await latchkey('plugin', 'check', folder);
      const tested = await run(process.execPath, [join(root, 'src/cli.ts'), 'plugin', 'test', folder], quiet);
      const { $schema } = JSON.parse(await readFile(join(folder, 'plugin.json'), 'utf8')) as {
        $schema: string;
      };

      expect(checked).toMatchObject({ code: 0, found: false, out: 'Nothing to say against it.' });
      expect(tested.stdout).toMatch(/Tests\s+\d+ passed \(\d+\)/);
      expect(await readFile(join(folder, $schema), 'utf8')).toContain('Latchkey plugin manifest');
    },
  );

  test('is told which templates there are', async () => {
    const asked = await latchkey('plugin', 'new', 'lost-found', '--template', 'none');

    expect(asked).toMatchObject({
      code: 64,
      err: expect.stringContaining('full, minimal, ticket') as string,
    });
  });

  test('cannot make a second one over it, nor one by a name that no plugin can have', async () => {
    const { place } = await newPlugin();

    const again = await latchkey('plugin', 'new', 'lost-found', '--dir', place);
    const oddly = await latchkey('plugin', 'new', 'Lost_Found', '--dir', place);

    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is not empty') as string });
    expect(oddly).toMatchObject({ code: 64, err: expect.stringContaining('small letters') as string });
  });

  test.for(mistakes)(
    'is told by file and line: %s, %s → %s',
    async ([file = '', from = '', to = '', where = '', what]) => {
      const { folder } = await newPlugin();
      await change(join(folder, file), from, to);

      const { code, found, out } = await latchkey('plugin', 'check', folder);

      expect({ code, found }).toEqual({ code: 0, found: true });
      const line = out.split('\n').find((one) => one.startsWith(where));
      expect(line ?? out).toContain(what);
    },
  );

  test('may write several words on one line', async () => {
    const { folder } = await newPlugin();
    for (const language of ['en', 'fr']) {
      const file = join(folder, `locales/${language}.json`);
      await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', ' '));
    }

    expect(await latchkey('plugin', 'check', folder)).toMatchObject({ found: false });
  });

  test('packs the same bytes from the same files, without the tests', async () => {
    const { place, folder } = await newPlugin();
    const elsewhere = join(await temporaryFolder(), 'lost-found');
    await cp(folder, elsewhere, { recursive: true });

    const [one, other] = [join(place, 'one.tgz'), join(place, 'other.tgz')];
    const packed = await latchkey('plugin', 'pack', folder, '--output', one, '--json');
    await latchkey('plugin', 'pack', elsewhere, '--output', other);

    expect(JSON.parse(packed.out)).toMatchObject({ id: 'lost-found', version: '0.1.0', files: 8 });
    expect((await readFile(one)).equals(await readFile(other))).toBe(true);
  });

  test('cannot pack a link', async () => {
    const { folder } = await newPlugin();
    await symlink('/etc/hostname', join(folder, 'public'));

    expect(await latchkey('plugin', 'pack', folder)).toMatchObject({
      code: 64,
      err: expect.stringContaining('public is a link') as string,
    });
  });

  test('signs a package; another key, other bytes and another package are told apart', async () => {
    const { place, folder } = await newPlugin();
    const file = join(place, 'lost-found.tgz');
    const [key, otherKey] = [join(place, 'key'), join(place, 'other-key')];
    await latchkey('plugin', 'pack', folder, '--output', file);
    await latchkey('plugin', 'keygen', key);
    await latchkey('plugin', 'keygen', otherKey);

    const signed = await latchkey('plugin', 'sign', file, '--key', key, '--json');
    const verified = await latchkey('plugin', 'verify', file, '--key', `${key}.pub`, '--json');
    const byAnother = await latchkey('plugin', 'verify', file, '--key', `${otherKey}.pub`);
    const keyAgain = await latchkey('plugin', 'keygen', key);
    await change(join(folder, 'locales/en.json'), 'Thank you.', 'Thanks.');
    await latchkey('plugin', 'pack', folder, '--output', file);
    const changed = await latchkey('plugin', 'verify', file, '--key', `${key}.pub`);
    await writeFile(file, (await readFile(file)).subarray(0, 900));
    const torn = await latchkey('plugin', 'verify', file, '--key', `${key}.pub`);

    expect(JSON.parse(signed.out)).toMatchObject({ id: 'lost-found', signature: `${file}.sig` });
    expect(JSON.parse(verified.out)).toMatchObject({ id: 'lost-found', version: '0.1.0', verified: true });
    expect(byAnother).toMatchObject({
      code: 64,
      err: expect.stringContaining('signed with the key') as string,
    });
    expect(keyAgain).toMatchObject({ code: 1 });
    expect(changed).toMatchObject({ code: 64, err: 'The signature is not of this package.' });
    expect(torn).toMatchObject({ code: 64, err: expect.stringContaining('broken') as string });
  });
});
