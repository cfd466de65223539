import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
async function newPlugin(): Promise<{ place: string; folder: string }> {
  const place = await temporaryFolder();
  expect(await latchkey('plugin', 'new', 'lost-found', '--dir', place)).toMatchObject({ code: 0 });
  return { place, folder: join(place, 'lost-found') };
}

async function change(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}

describe('an author', () => {
  test('gets a plugin against which there is nothing to say', async () => {
    const { folder } = await newPlugin();

    const checked = await latchkey('plugin', 'check', folder);

    expect(checked).toMatchObject({ code: 0, found: false, out: 'Nothing to say against it.' });
  });

  test('cannot make a second one over it, nor one by a name that no plugin can have', async () => {
    const { place } = await newPlugin();

    const again = await latchkey('plugin', 'new', 'lost-found', '--dir', place);
    const oddly = await latchkey('plugin', 'new', 'Lost_Found', '--dir', place);

    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is not empty') as string });
    expect(oddly).toMatchObject({ code: 64, err: expect.stringContaining('small letters') as string });
  });

  test.for([
    ['src/index.ts', "host.job('forget'", "host.job('forgets'", 'src/index.ts:33', 'Did you mean "forget"?'],
    ['src/index.ts', "'keepDays'", "'keepWeeks'", 'src/index.ts:34', 'does not stand under "settings"'],
    [
      'views/board.hbs',
      'partials/field',
      'partials/fild',
      'views/board.hbs:4',
      'Did you mean "partials/field"?',
    ],
    [
      'src/board.ts',
      "'latchkey/plugin-api'",
      "'../../../src/db/table.ts'",
      'src/board.ts:1',
      "out of the plugin's folder",
    ],
    ['src/board.ts', "'latchkey/plugin-api'", "'node:fs'", 'src/board.ts:1', "the host's"],
    ['src/board.ts', "'latchkey/plugin-api'", "'lodash'", 'src/board.ts:1', 'copy what you need'],
    ['src/index.ts', "'./board.ts'", "'./board'", 'src/index.ts:2', 'Imports end in ".ts"'],
    [
      'plugin.json',
      '"ticket.created"',
      '"ticket.create"',
      'plugin.json:17',
      'Did you mean "ticket.created"?',
    ],
    [
      'plugin.json',
      '"main": "src/index.ts"',
      '"main": "index.ts"',
      'plugin.json:10',
      'There is no file index.ts',
    ],
    [
      'plugin.json',
      '"id": "lost-found"',
      '"id": "lost-things"',
      'plugin.json:3',
      'must be called lost-things',
    ],
    ['plugin.json', '"everyMs": 3600000', '"everyMs": 3', 'plugin.json:16', 'everyMs'],
    ['plugin.json', '"manifest": 1,', '"manifest": 1', 'plugin.json:3', 'JSON'],
    [
      'plugin.json',
      '"jobs"',
      '"slots": ["ticket.sidebars"], "jobs"',
      'plugin.json:16',
      'Did you mean "ticket.sidebar"?',
    ],
    [
      'locales/fr.json',
      '  "say": "La laisser",\n',
      '',
      'locales/en.json:6',
      '"say" is missing in locales/fr.json',
    ],
    ['plugin.json', '"label": "menu"', '"label": "entry"', 'plugin.json:15', 'no text "entry"'],
    ['views/board.hbs', '{{/if}}', '', 'views/board.hbs:', 'layouts/app'],
    ['views/board.hbs', '{{csrf}}', '', 'views/board.hbs:2', '{{csrf}}'],
    ['views/board.hbs', '{{said}}', '{{{said}}}', 'views/board.hbs:8', '{{{'],
    ['views/board.hbs', '<ul>', '<ul style="color:red">', 'views/board.hbs:8', 'have no effect'],
    [
      'migrations/0001-notes.ts',
      'EXISTS lost_found_note (',
      'EXISTS tickets (',
      'migrations/0001-notes.ts:6',
      'must begin with lost_found_',
    ],
    [
      'migrations/0001-notes.ts',
      "name: '0001-notes'",
      "name: '0002-notes'",
      'migrations/0001-notes.ts:4',
      "the name '0001-notes'",
    ],
  ] as const)('is told by file and line: %s, %s → %s', async ([file, from, to, where, what]) => {
    const { folder } = await newPlugin();
    await change(join(folder, file), from, to);

    const { code, found, out } = await latchkey('plugin', 'check', folder);

    expect({ code, found }).toEqual({ code: 0, found: true });
    const line = out.split('\n').find((one) => one.startsWith(where));
    expect(line ?? out).toContain(what);
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
